import "../common/frame";
import { start } from "../labels/page";

start();

import "../common/frame";
import { start } from "../quarantine/page";

start();

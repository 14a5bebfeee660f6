import "../common/frame";
import "../viewer/viewer.css";
import { start } from "../schema/page";

start();

import "../common/frame";
import "../viewer/viewer.css";
import { start } from "../reading/page";

start();

import "../common/frame";
import { startImport } from "../patients/import";
import "../upload/page";

startImport();

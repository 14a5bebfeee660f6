import "../common/frame";
import { startPatient } from "../patients/page";

startPatient();

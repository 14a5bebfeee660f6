import "../common/frame";
import { startSuggestions } from "../patients/suggestions";

startSuggestions();

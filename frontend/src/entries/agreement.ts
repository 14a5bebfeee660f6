import "../common/frame";
import { startAgreement } from "../agreement/page";

startAgreement();

import "../common/frame";
import { startMetrics } from "../metrics/page";

startMetrics();

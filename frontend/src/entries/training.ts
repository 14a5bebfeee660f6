import "../common/frame";
import { pageConfig } from "../common/dom";
import { startList } from "../training/list";
import { startRun } from "../training/run";

const { run_id } = pageConfig<{ run_id?: number }>({});
if (run_id === undefined) startList();
else startRun(run_id);

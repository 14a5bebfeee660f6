import "../common/frame";
import { pageConfig } from "../common/dom";
import { startNew } from "../queues/create";
import { startList } from "../queues/list";
import { startQueue } from "../queues/queue";

const { page, queue } = pageConfig<{ page: string; queue?: number }>({ page: "queues" });
if (page === "queue-new") startNew();
else if (queue !== undefined) startQueue(queue);
else startList();

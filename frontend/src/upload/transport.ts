/** One request. XMLHttpRequest, because fetch reports no upload progress. */

import { ApiError, cookie, errorOf, reportSignedOut } from "../common/api";
import type { Item, Result } from "./queue";

const UPLOAD = "/api/v1/upload/";

function form(items: readonly Item[]): FormData {
  const data = new FormData();
  for (const { file, path } of items) data.append("files", file, path);
  // Servers keep only the last part of a file's name; the whole paths go beside the files, in the same order.
  for (const { path } of items) data.append("paths", path);
  return data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function send(
  items: readonly Item[],
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<Result[]> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", UPLOAD);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", cookie("csrftoken"));
    request.upload.addEventListener(
      "progress",
      (event) => event.lengthComputable && progress(event.loaded / event.total),
    );
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      // 207 and 4xx may carry one answer per file, which says more than the status.
      const results = (body as { results?: Result[] } | null)?.results;
      if (results && request.status < 500) return resolve(results);
      const error = errorOf(request.status, body);
      if (error.signedOut) reportSignedOut();
      reject(error);
    });
    const broken = () =>
      reject(new ApiError(0, "offline", "The server does not answer. Files not yet sent are kept on this page."));
    request.addEventListener("error", broken);
    request.addEventListener("abort", broken);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form(items));
  });
}

/** All requests to the server: JSON with the session's cookie, errors as one class, a lost sign-in as a banner. */

import { hideBanner, showBanner } from "./banner";
import { h } from "./dom";

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 where no answer came. */
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    /** The whole body, for answers that carry more than a sentence. */
    readonly body: unknown = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }

  /** Nothing reached the server or it fell over: asking again may help. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }

  get signedOut(): boolean {
    return this.status === 401 || this.code === "signed_out";
  }
}

export interface Options {
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Let the browser finish it after the page has gone (drafts on leaving). */
  keepalive?: boolean;
}

const NO_ANSWER =
  "The server does not answer. What you typed is kept here. Try again, or wait: this page keeps trying.";

export function cookie(name: string): string {
  const pair = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : "";
}

function firstText(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(firstText).filter(Boolean).join(" ") || null;
  if (value && typeof value === "object") return firstText(Object.values(value));
  return null;
}

/** Sentences of this application name their subject; the framework's ("Ensure this value…") get the field's name. */
function fieldText(name: string, text: string): string {
  return /^(Ensure|This|Enter|A valid|Not a|Must|Invalid|Required|\S* ?is not)/.test(text) || !/^[A-Z].*\.$/.test(text)
    ? `${name.replaceAll("_", " ")}: ${text}`
    : text;
}

/** DRF answers with `detail`, or with field names: `{"gestational_age_days": ["…"]}`. */
export function detailOf(body: unknown, status: number): string {
  if (body && typeof body === "object" && !Array.isArray(body)) {
    const { detail } = body as { detail?: unknown };
    if (typeof detail === "string") return detail;
    const fields = Object.entries(body as Record<string, unknown>)
      .filter(([name]) => name !== "code")
      .map(([name, value]) => fieldText(name, firstText(value) ?? ""));
    if (fields.length) return fields.join(" ");
  }
  return firstText(body) ?? `The server answered ${status} and no reason. Nothing typed here is lost. Try again.`;
}

function codeOf(body: unknown, status: number): string {
  const code = body && typeof body === "object" ? (body as { code?: unknown }).code : null;
  return typeof code === "string" ? code : `http_${status}`;
}

async function parse(response: Response): Promise<unknown> {
  const type = response.headers.get("Content-Type") ?? "";
  if (response.status === 204 || !type.includes("json")) return null;
  return response.json().catch(() => null);
}

/** An answer as an error; a cookie that has gone makes Django say 403, which is a lost sign-in all the same. */
export function errorOf(status: number, body: unknown): ApiError {
  const detail = detailOf(body, status);
  const code = codeOf(body, status);
  const isSignedOut = status === 401 || code === "not_authenticated" || (status === 403 && /CSRF/.test(detail));
  return new ApiError(status, isSignedOut ? "signed_out" : code, isSignedOut ? "You are signed out." : detail, body);
}

const signedOutHandlers = new Set<() => void>();
const signedInHandlers = new Set<() => void>();
let signedOut = false;

/** Called once when the sign-in is lost, so that a form can store what was typed. */
export function onSignedOut(handler: () => void): void {
  signedOutHandlers.add(handler);
}

/**
 * Called once when a request succeeds again after the sign-in was lost. Returns the function that removes the handler:
 * one that stays keeps its whole page in memory.
 */
export function onSignedIn(handler: () => void): () => void {
  signedInHandlers.add(handler);
  return () => void signedInHandlers.delete(handler);
}

export function reportSignedOut(): void {
  if (!signedOut) for (const handler of signedOutHandlers) handler();
  signedOut = true;
  const next = encodeURIComponent(location.pathname + location.search);
  showBanner({
    name: "signed-out",
    error: true,
    title: "You are signed out.",
    detail: "What you typed is kept on this page. Sign in in the new tab, come back here, and it goes on.",
    actions: [
      h(
        "a",
        { class: "btn btn-primary", href: `/accounts/login/?next=${next}`, target: "_blank", rel: "opener" },
        "Sign in",
      ),
    ],
  });
}

function reportSignedIn(): void {
  if (!signedOut) return;
  signedOut = false;
  hideBanner("signed-out");
  for (const handler of signedInHandlers) handler();
}

function headersFor(method: string, body: unknown, extra: Record<string, string>): Record<string, string> {
  const headers: Record<string, string> = { Accept: "application/json", ...extra };
  if (body !== undefined && !(body instanceof FormData)) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  return headers;
}

function encode(body: unknown): BodyInit | undefined {
  if (body === undefined) return undefined;
  return body instanceof FormData ? body : JSON.stringify(body);
}

async function request<T>(method: string, url: string, body: unknown, options: Options): Promise<T> {
  const init: RequestInit = {
    method,
    credentials: "same-origin",
    headers: headersFor(method, body, options.headers ?? {}),
  };
  const content = encode(body);
  if (content !== undefined) init.body = content;
  if (options.signal) init.signal = options.signal;
  if (options.keepalive) init.keepalive = true;
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", NO_ANSWER);
  }
  const answer = await parse(response);
  if (response.ok) {
    reportSignedIn();
    return answer as T;
  }
  const error = errorOf(response.status, answer);
  if (error.signedOut) reportSignedOut();
  throw error;
}

export const api = {
  get: <T>(url: string, options: Options = {}) => request<T>("GET", url, undefined, options),
  post: <T>(url: string, body: unknown = {}, options: Options = {}) => request<T>("POST", url, body, options),
  put: <T>(url: string, body: unknown, options: Options = {}) => request<T>("PUT", url, body, options),
  patch: <T>(url: string, body: unknown, options: Options = {}) => request<T>("PATCH", url, body, options),
  del: <T>(url: string, options: Options = {}) => request<T>("DELETE", url, undefined, options),
};

/** The sentence to show for anything that was thrown. */
export function reason(error: unknown): string {
  if (error instanceof ApiError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

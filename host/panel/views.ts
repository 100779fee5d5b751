/** What the bridge looks like in JSON. Times are RFC 3339; values of channels are exact, as they are published. */
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/json.ts";
import { encodeDownlink } from "../../protocol/message.ts";
import type { CertificateView, ServiceView, WaitingDownlink } from "../bridge/control.ts";
import { withTimes } from "../bridge/event-json.ts";
import type { BridgeStats, DeadLetter, LinkState } from "../bridge/index.ts";
import { type Health, healthOf } from "./health.ts";

/** For who asks every few seconds: no list of links, of which there may be ten thousand. */
export function healthJson(health: Health, stats: BridgeStats | undefined): string {
  if (!stats) return JSON.stringify({ status: health });
  const { startedAt, outbox, services } = stats;
  const states = services.map(({ name, state }) => ({ name, ...state }));
  return JSON.stringify({ status: health, startedAt, outbox, services: states, links: linkCounts(stats) }, withTimes);
}

export function statusJson(stats: BridgeStats): string {
  const services = stats.services.map(({ state, ...service }) => ({ ...service, ...state }));
  const links = stats.links.map(({ state, ...link }) => ({ ...link, ...state }));
  return JSON.stringify({ ...stats, status: healthOf(stats), services, links }, withTimes);
}

/** How many links are in each state. */
function linkCounts({ links }: BridgeStats): { readonly [S in LinkState["state"]]: number } {
  const counts = { starting: 0, up: 0, error: 0, stopped: 0 };
  for (const { state } of links) counts[state.state]++;
  return counts;
}

/** Where a PEM text could stand. A view has none of these; should one ever get there, it goes no further. */
const NEVER_SHOWN = new Set(["rootca_cert", "cert", "private_key"]);

export function servicesJson(services: readonly ServiceView[]): string {
  const views = services.map((view) => ({
    ...view,
    rootCa: certificateView(view.rootCa),
    certificate: certificateView(view.certificate),
  }));
  return JSON.stringify({ services: views }, (key, value: unknown) => (NEVER_SHOWN.has(key) ? undefined : value));
}

function certificateView({ validFrom, validTo, ...certificate }: CertificateView) {
  return { ...certificate, validFrom: formatDateTime(validFrom), validTo: formatDateTime(validTo) };
}

export function waitingJson(waiting: readonly WaitingDownlink[]): string {
  const views = waiting.map(({ service, message, since, until }) => {
    const times = `"since":"${formatDateTime(since)}","until":"${formatDateTime(until)}"`;
    return `{"service":${JSON.stringify(service ?? null)},${times},"message":${encodeDownlink(message)}}`;
  });
  return `{"downlinks":[${views.join(",")}]}`;
}

/** @param limit that was asked for: a full page has one behind it, maybe */
export function deadLettersJson(letters: readonly DeadLetter[], limit: number): string {
  const views = letters.map(({ id, module, reason, setAsideAt, payload }) => {
    const head = JSON.stringify({ id, module, reason, setAsideAt: formatDateTime(setAsideAt) });
    return `${head.slice(0, -1)},"message":${payloadJson(payload)}}`;
  });
  const next = letters.length < limit ? undefined : letters.at(-1)?.id;
  return `{"deadLetters":[${views.join(",")}],"next":${JSON.stringify(next ?? null)}}`;
}

/** As it would be published, to the digit; what is no JSON, from a damaged disk, as a string. */
function payloadJson(payload: Uint8Array): string {
  const text = new TextDecoder().decode(payload);
  try {
    parseJson(text);
    return text;
  } catch (error) {
    if (!isSakuraError(error, "INVALID_MESSAGE")) throw error;
    return JSON.stringify(text);
  }
}

/** What `sakuraio feed` shows: a line for each message, a live line where they come too fast to read, or JSON. */
import type { ChannelEntry } from "../../protocol/channel.ts";
import type { SakuraError } from "../../protocol/errors.ts";
import { valueJson } from "../../protocol/message.ts";
import type { FeedEvent, FeedSummary } from "../feed/feed.ts";
import { type CliIo, printLine } from "./io.ts";
import { jsonLine } from "./json-line.ts";
import { type LiveLine, liveLine } from "./live-line.ts";
import { count } from "./module/report.ts";
import type { ModuleSession } from "./module/session.ts";
import { valueEvent, valueText } from "./module/text.ts";

/** More messages a second than this nobody reads. */
const READABLE_PER_SECOND = 5;
const LIVE_MS = 100;

export class FeedReport {
  readonly #io: CliIo;
  readonly #json: boolean;
  readonly #live: LiveLine | undefined;
  readonly #counts = { messages: 0, sent: 0, unknown: 0, received: 0 };
  #waiting = 0;
  #shownAt = 0;
  #trouble: string | undefined;

  /** @param options.perSecond how many messages a second are expected */
  constructor({ io, json, trace = false }: ModuleSession, { perSecond }: { readonly perSecond: number }) {
    this.#io = io;
    this.#json = json;
    const fast = io.stdout.isTTY === true && !json && !trace && perSecond > READABLE_PER_SECOND;
    this.#live = fast ? liveLine(io, { quiet: false }) : undefined;
  }

  event(event: FeedEvent): void {
    switch (event.kind) {
      case "round":
        return;
      case "sent":
        return this.#sent(event.round, event.values);
      case "unknown":
        this.#counts.unknown += event.values.length;
        return this.#warn(
          "unknown",
          event.values,
          `nobody can tell whether ${count(event.values.length, "value")} went: ${list(event.values)}; ${event.why}`,
        );
      case "dropped":
        return this.#warn(
          "dropped",
          event.values,
          `too many values wait: the oldest are given up: ${list(event.values)}`,
        );
      case "received":
        this.#counts.received++;
        return this.#out(this.#json ? valueEvent(event.value) : `received  ${valueText(event.value)}`);
      case "trouble":
        return this.#troubled(event.error, event.waiting);
    }
  }

  /** A line for people, on the side. */
  tell(text: string): void {
    this.#live?.clear();
    printLine(this.#io.stderr, `sakuraio: ${text}`);
  }

  end(summary: FeedSummary): void {
    this.#live?.clear();
    const { rounds, sent, waiting, unknown, dropped, received } = summary;
    if (this.#json) {
      const { inModule, ...counts } = summary;
      this.#out(jsonLine({ event: "summary", ...counts, in_module: inModule }));
      return;
    }
    const parts = [`${count(rounds, "round")}: ${count(sent, "value")} sent`];
    if (waiting > 0) parts.push(`${waiting} not sent${waitingWhere(summary)}`);
    if (unknown > 0) parts.push(`${unknown} of which nobody can tell`);
    if (dropped > 0) parts.push(`${dropped} given up`);
    if (received > 0) parts.push(`${received} received`);
    this.#out(parts.join(", "));
  }

  #sent(round: number, values: readonly ChannelEntry[]): void {
    this.#counts.messages++;
    this.#counts.sent += values.length;
    this.#waiting = Math.max(0, this.#waiting - values.length);
    this.#trouble = undefined;
    if (this.#json) {
      const channels = values.map(
        (entry) => `{"channel":${entry.channel},"type":"${entry.type}","value":${valueJson(entry)}}`,
      );
      this.#out(`{"event":"sent","round":${round},"channels":[${channels.join(",")}]}`);
    } else if (this.#live) this.#showLive(this.#live);
    else this.#out(`sent      ${list(values)}`);
  }

  /** The same trouble again is no news. */
  #troubled(error: SakuraError, waiting: number): void {
    const repeated = error.code === this.#trouble && error.code !== "OUTCOME_UNKNOWN";
    if (this.#json && !(repeated && waiting === this.#waiting)) {
      this.#out(jsonLine({ event: "trouble", code: error.code, message: error.message, waiting }));
    }
    this.#trouble = error.code;
    this.#waiting = waiting;
    // A port that went away is told of by its state.
    if (repeated || error.code === "PORT_LOST") return;
    this.tell(`${error.message}${waiting > 0 ? ` (${count(waiting, "value")} waiting for the next round)` : ""}`);
  }

  #warn(event: string, values: readonly ChannelEntry[], text: string): void {
    this.tell(text);
    if (this.#json) this.#out(jsonLine({ event, values: values.length, message: text }));
  }

  #showLive(live: LiveLine): void {
    const now = Date.now();
    if (now - this.#shownAt < LIVE_MS) return;
    this.#shownAt = now;
    const { messages, sent, unknown, received } = this.#counts;
    live.show(
      `sent ${sent} in ${count(messages, "message")}, ${this.#waiting} waiting, ${unknown} unknown, ${received} received`,
    );
  }

  #out(line: string): void {
    this.#live?.clear();
    printLine(this.#io.stdout, line);
  }
}

function waitingWhere({ waiting, inModule }: FeedSummary): string {
  if (inModule === 0) return "";
  return inModule === waiting ? " (in the module's TX queue)" : ` (${inModule} of them in the module's TX queue)`;
}

const LISTED_MAX = 16;

/** `0:i=25 1:f=21`, as the command line takes it; not endlessly. */
function list(values: readonly ChannelEntry[]): string {
  const shown = values.slice(0, LISTED_MAX).map(entryText);
  if (values.length > LISTED_MAX) shown.push(`and ${values.length - LISTED_MAX} more`);
  return shown.join(" ");
}

/** `0:i=25`, as the command line takes it. */
export function entryText(entry: ChannelEntry): string {
  const { channel, type, value } = entry;
  const text = typeof value === "number" && !Number.isFinite(value) ? `${value}` : valueJson(entry);
  return `${channel}:${type}=${text.replaceAll('"', "")}`;
}

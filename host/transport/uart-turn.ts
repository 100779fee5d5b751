/** What goes on on a UART, one thing at a time: an exchange, or a resynchronisation. */
import type { AtAnswerEvent } from "../../protocol/at.ts";
import type { SakuraError } from "../../protocol/errors.ts";

/** Told what happens on the line while it lasts. */
export interface Turn {
  /** Any bytes came, before what they mean. */
  bytesCame?(): void;
  /** The answer to a ping came (see {@link UartLine.sendPing}), by the ping's number. */
  echoCame?(ping: number | "damaged"): void;
  eventCame(event: AtAnswerEvent): void;
  /** The limit set last has been reached. */
  timeUp(): void;
  fail(error: SakuraError): void;
}

/** The line as a turn may use it. */
export interface UartLine {
  readonly name: string;
  /** Whether an answer counts with its last digit, before the `OK`. */
  readonly early: boolean;
  now(): number;
  /** How long so many bytes take on the wire, in ms. */
  wireMs(bytes: number): number;
  /** Ends whatever half a line the module may hold. */
  sendLineEnd(): void;
  /** Sends an ECHO_BACK that no other is like. */
  sendPing(): void;
  /** The number of the ping sent last; numbers grow. */
  lastPing(): number;
  /** Tells whoever watches that nothing which could be an answer came in time, and what of a line did. */
  silent(): void;
  /** Forgets half a line that has arrived. */
  forgetHalfLine(): void;
  /** Replaces the time limit. */
  limit(ms: number): void;
  /** This turn is over. */
  done(): void;
}

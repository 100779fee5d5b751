/** The module's side of a UART (§3): AT lines in, answers out, over any byte stream. */
import { AtRequestParser, ERROR_LINE, encodeAnswerLines, OK_LINE } from "../../protocol/at.ts";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { type FrameAnswerer, isAnswer, type TimedAnswer, type TimedNoise } from "../frame-answerer.ts";

/** What a UART saw that was no request: for logs, and for tests of noise. */
export type UartEvent =
  /** A line that is no command; answered `ERROR`, unless the module is silent. */
  | { readonly kind: "error"; readonly line: string }
  /** Bytes outside ASCII before a line; ignored. */
  | { readonly kind: "noise"; readonly bytes: number };

/**
 * Puts a module on a line. Any number of lines may lead to one module, as a real one has one UART, one I2C and one SPI.
 * The module's faults damage bytes in both directions and delay its answers.
 * @returns takes it off again; the stream stays open
 */
export function attachUart(
  module: FrameAnswerer,
  duplex: ByteDuplex,
  onEvent: (event: UartEvent) => void = () => undefined,
): () => void {
  /** Answers leave in the order of their requests, also when the delay has just been made shorter. */
  const waiting: { readonly bytes: Uint8Array; due: boolean; readonly cancel: () => void }[] = [];

  const write = (bytes: Uint8Array): void => duplex.write(module.faults.damage(bytes));
  const letGo = (): void => {
    for (let oldest = waiting[0]; oldest?.due; oldest = waiting[0]) {
      waiting.shift();
      write(oldest.bytes);
    }
  };
  const answer = (bytes: Uint8Array, delay = module.faults.spec.delay): void => {
    if (delay === 0 && waiting.length === 0) return write(bytes);
    const cancel = module.clock.after(delay, () => {
      held.due = true;
      letGo();
    });
    const held = { bytes, due: false, cancel };
    waiting.push(held);
  };

  const parser = new AtRequestParser((event) => {
    switch (event.kind) {
      case "frame": {
        for (const timed of module.answersTo(event.frame)) answer(lineBytes(timed), timed.afterMs);
        return;
      }
      case "at":
        if (!module.silent) answer(OK_LINE);
        return;
      case "error":
        onEvent(event);
        if (!module.silent) answer(ERROR_LINE);
        return;
      case "noise":
        return onEvent(event);
    }
  });

  const stopBytes = duplex.onBytes((bytes) => parser.push(module.faults.damage(bytes)));
  const stopClose = duplex.onClose(detach);
  function detach(): void {
    for (const { cancel } of waiting.splice(0)) cancel();
    stopBytes();
    stopClose();
  }
  return detach;
}

function lineBytes(timed: TimedAnswer | TimedNoise): Uint8Array {
  if (!isAnswer(timed)) return timed.noise;
  const lines = encodeAnswerLines(timed.frame);
  return timed.withoutOk ? lines.slice(0, -OK_LINE.length) : lines;
}

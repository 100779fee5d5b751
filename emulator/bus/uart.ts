/** The module's side of a UART (§3): AT lines in, answers out, over any byte stream. */
import { AtRequestParser, ERROR_LINE, encodeAnswerLines, OK_LINE } from "../../protocol/at.ts";
import type { ByteDuplex } from "../../protocol/bus.ts";
import type { EmulatedModule } from "../module.ts";

/** What a UART saw that was no request: for logs, and for tests of noise. */
export type UartEvent =
  /** A line that is no command; answered `ERROR`. */
  | { readonly kind: "error"; readonly line: string }
  /** Bytes outside ASCII before a line; ignored. */
  | { readonly kind: "noise"; readonly bytes: number };

/**
 * Puts a module on a line. Any number of lines may lead to one module, as a real one has one UART, one I2C and one SPI.
 * The module's faults damage bytes in both directions and delay its answers.
 * @returns takes it off again; the stream stays open
 */
export function attachUart(
  module: EmulatedModule,
  duplex: ByteDuplex,
  onEvent: (event: UartEvent) => void = () => undefined,
): () => void {
  let attached = true;
  /** Answers leave in the order of their requests, also when the delay has just been made shorter. */
  let lastDue = Number.NEGATIVE_INFINITY;

  const write = (bytes: Uint8Array): void => {
    if (attached) duplex.write(module.faults.damage(bytes));
  };
  const answer = (bytes: Uint8Array): void => {
    const { delay } = module.faults.spec;
    const now = module.clock.now();
    lastDue = Math.max(lastDue, now + delay);
    if (lastDue <= now) write(bytes);
    else module.clock.after(lastDue - now, () => write(bytes));
  };

  const parser = new AtRequestParser((event) => {
    switch (event.kind) {
      case "frame": {
        const frame = module.handle(event.frame);
        if (frame) answer(encodeAnswerLines(frame));
        return;
      }
      case "at":
        return answer(OK_LINE);
      case "error":
        onEvent(event);
        return answer(ERROR_LINE);
      case "noise":
        return onEvent(event);
    }
  });

  const stopBytes = duplex.onBytes((bytes) => parser.push(module.faults.damage(bytes)));
  const stopClose = duplex.onClose(detach);
  function detach(): void {
    attached = false;
    stopBytes();
    stopClose();
  }
  return detach;
}

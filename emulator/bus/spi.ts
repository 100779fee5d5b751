/**
 * The module's side of SPI (§5), byte by byte. A byte goes each way at once: what comes back with the request's bytes
 * means nothing, and what goes out with the answer's does not either.
 */
import { choices } from "../choices.ts";
import { type FrameAnswerer, firstFrame } from "../frame-answerer.ts";

/** A device on an SPI bus, as the wire sees it. */
export interface SpiTarget {
  /** Chip select goes low. */
  select(): void;
  /** A byte each way. */
  exchange(byte: number): number;
  /** Chip select goes high. */
  deselect(): void;
}

/** What a driver did that no exchange has: for logs, and for tests of drivers. */
export type SpiEvent =
  /** Chip select went high within the request; nothing was carried out. */
  | { readonly kind: "cut-short"; readonly bytes: number }
  /** The answer was clocked before it was ready, and 0x00 came. */
  | { readonly kind: "too-early" }
  /** Bytes were clocked while chip select was high; the module did not see them. Told once for each such stretch. */
  | { readonly kind: "not-selected" };

export interface SpiOptions {
  /** From the request's last byte to the answer, in ms. */
  readonly readyAfterMs?: number | undefined;
  readonly onEvent?: ((event: SpiEvent) => void) | undefined;
}

/** Puts a module on an SPI bus. Its faults damage bytes in both directions and delay its answers. */
export function attachSpi(module: FrameAnswerer, options: SpiOptions = {}): SpiTarget {
  return new ModuleOnSpi(module, options);
}

/** A line that nobody drives. */
const FLOATING = 0xff;

type Phase =
  | { readonly kind: "deselected"; told: boolean }
  | { readonly kind: "request"; readonly bytes: number[] }
  | { readonly kind: "answer"; readonly bytes: Uint8Array; readonly readyAt: number; place: number; early: boolean };

class ModuleOnSpi implements SpiTarget {
  readonly #module: FrameAnswerer;
  readonly #readyAfterMs: number;
  readonly #onEvent: (event: SpiEvent) => void;
  #phase: Phase = { kind: "deselected", told: false };

  constructor(module: FrameAnswerer, { readyAfterMs = choices.busReadyMs, onEvent = () => undefined }: SpiOptions) {
    this.#module = module;
    this.#readyAfterMs = readyAfterMs;
    this.#onEvent = onEvent;
  }

  select(): void {
    if (this.#phase.kind === "deselected") this.#phase = { kind: "request", bytes: [] };
  }

  deselect(): void {
    const phase = this.#phase;
    if (phase.kind === "request" && phase.bytes.length > 0)
      this.#onEvent({ kind: "cut-short", bytes: phase.bytes.length });
    if (phase.kind !== "deselected") this.#phase = { kind: "deselected", told: false };
  }

  exchange(byte: number): number {
    const phase = this.#phase;
    switch (phase.kind) {
      case "deselected":
        if (!phase.told) this.#onEvent({ kind: "not-selected" });
        phase.told = true;
        return FLOATING;
      case "request":
        this.#take(phase.bytes, byte);
        return choices.busFiller;
      case "answer":
        return this.#give(phase);
    }
  }

  #take(request: number[], byte: number): void {
    const [heard] = this.#module.faults.damage(Uint8Array.of(byte));
    if (heard === undefined) return;
    request.push(heard);
    if (request.length < 3 || request.length !== (request[1] ?? 0) + 3) return;
    const { clock, faults } = this.#module;
    this.#phase = {
      kind: "answer",
      bytes: firstFrame(this.#module.answersTo(Uint8Array.from(request))) ?? new Uint8Array(0),
      readyAt: clock.now() + this.#readyAfterMs + faults.spec.delay,
      place: 0,
      early: false,
    };
  }

  #give(phase: Extract<Phase, { kind: "answer" }>): number {
    if (this.#module.clock.now() < phase.readyAt) {
      if (!phase.early) this.#onEvent({ kind: "too-early" });
      phase.early = true;
      return choices.busFiller;
    }
    while (phase.place < phase.bytes.length) {
      const [sent] = this.#module.faults.damage(phase.bytes.subarray(phase.place, ++phase.place));
      if (sent !== undefined) return sent;
    }
    return choices.busFiller;
  }
}

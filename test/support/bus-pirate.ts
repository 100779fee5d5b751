/** The emulated Bus Pirate at the end of a line that a test can listen to and break. */
import { attachBusPirate, type BusPirateEvent, type BusPirateOptions } from "../../emulator/bus/bus-pirate.ts";
import type { VirtualClock } from "../../emulator/clock.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { bytes } from "../vectors/bytes.ts";
import { desk, hex } from "./desk.ts";
import { linePair } from "./scripted-module.ts";

/** What becomes of an answer on its way to the host; nothing: it is lost. */
export type Tamper = (answer: Uint8Array) => Uint8Array | undefined;

const untouched: Tamper = (answer) => answer;

export class PluggedBusPirate {
  /** What the client opens. */
  readonly host: ByteDuplex;
  readonly module;
  readonly clock: VirtualClock;
  readonly events: BusPirateEvent[] = [];
  /** Changes each answer from now on. */
  tamper: Tamper = untouched;
  readonly #device: ByteDuplex;
  readonly #lose: () => void;
  readonly #deviceListeners = new Set<(bytes: Uint8Array) => void>();
  #said: number[] = [];

  constructor(options: Omit<EmulatedModuleOptions, "clock"> & BusPirateOptions = {}) {
    const { module, clock } = desk(options);
    this.module = module;
    this.clock = clock;
    const { host, module: device, lose } = linePair();
    this.host = host;
    this.#device = device;
    this.#lose = lose;
    device.onBytes((said) => {
      this.#said.push(...said);
      this.#hear(said);
    });
    attachBusPirate(module, this.#tampered(), { ...options, onEvent: (event) => this.events.push(event) });
  }

  /** What the host has said since the last call, in hex. */
  heard(): string {
    const said = hex(Uint8Array.from(this.#said));
    this.#said = [];
    return said;
  }

  /** Somebody else spoke to it before, in hex; what it answered is gone. */
  spokenTo(words: string): void {
    this.tamper = () => undefined;
    this.#hear(bytes(words));
    this.tamper = untouched;
  }

  /** Sends bytes to the host that it did not ask for, in hex. */
  say(words: string): void {
    this.#device.write(bytes(words));
  }

  /** It is unplugged. */
  lose(): void {
    this.#lose();
  }

  #hear(said: Uint8Array): void {
    for (const listener of this.#deviceListeners) listener(said);
  }

  #tampered(): ByteDuplex {
    return {
      name: "device's end",
      write: (answer) => {
        const arriving = this.tamper(answer);
        if (arriving) this.#device.write(arriving);
      },
      onBytes: (listener) => {
        this.#deviceListeners.add(listener);
        return () => this.#deviceListeners.delete(listener);
      },
      onClose: (listener) => this.#device.onClose(listener),
      close: () => this.#device.close(),
    };
  }
}

/** Anything else on a serial port. */
export function otherDevice(answer: (said: Uint8Array) => Uint8Array | undefined) {
  const { host, module: device } = linePair();
  device.onBytes((said) => {
    const words = answer(said);
    if (words) device.write(words);
  });
  return { host, say: (words: string) => device.write(Buffer.from(words, "latin1")) };
}

/** Lets time go by until the work is done, 30 s at most. Returns its outcome as it is, and how long it took. */
export async function inTime<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let settled = false;
  work.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let ms = 0; ms < 30_000 && !settled; ms++) await clock.advance(1);
  if (!settled) throw new Error("it is not done after 30 s");
  return work;
}

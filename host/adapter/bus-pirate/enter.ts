/**
 * Into bitbang mode from wherever a Bus Pirate was left (§6): in its user terminal, in a mode, in the middle of a command
 * that waits for up to 4096 bytes.
 *
 * Its receiver holds four bytes. While it works on a bus it reads none, and after one byte too many it is deaf until it
 * is unplugged, as the source of its firmware shows (OERR is cleared in the user terminal alone). So 0x00s go out one by
 * one, each with time for its answer, and four by four where only a command that waits for bytes is left.
 */
import {
  busPirateBytes,
  busPirateNames,
  OK_BYTE,
  WRITE_THEN_READ_MAX,
  ZEROS_TO_ENTER,
} from "../../../protocol/bus-pirate.ts";
import type { SakuraError } from "../../../protocol/errors.ts";
import type { BusPirateWire, Wait } from "./wire.ts";

const STEP = "entering binary mode";

/**
 * For the answer to one 0x00: its 5 bytes take half a ms, and the FTDI chip before it keeps them for up to 16 ms, its
 * latency timer as it comes.
 */
const ANSWER_MS = 20;
/** Longer than any pause within what still comes from earlier. */
const QUIET_MS = 30;
/** No answer of its own is longer: 4097 bytes, and some of a bus's time. */
const NOISE_MS = 1500;
/** As many as lead in from the terminal, and from within a bulk command; some to spare for lost ones. */
const SINGLE_ZEROS = ZEROS_TO_ENTER + 5;
/** As many as its receiver holds while it does not look. */
const ZEROS_AT_ONCE = 4;
const FEED_MS = 1;
/** Two counts, the bytes, and the one that is answered. */
const FEED_MAX = 4 + WRITE_THEN_READ_MAX + 1;
/** A menu asks for less than this many values; Enter takes what each proposes. */
const ENTERS = 10;
/** For a menu's text, or a reset and its banner. */
const TEXT_MS = 100;

const ZERO = Uint8Array.of(busPirateBytes.bitbang);
const ENTER = Uint8Array.of(0x0d);
/** The terminal's command that resets it. */
const RESET = Uint8Array.of(0x23, 0x0d);

/** Nothing to send: only to look. */
const NOTHING = new Uint8Array(0);

/**
 * Leaves it in bitbang mode, with nothing more to come.
 *
 * @param until the clock's time at which it is given up
 * @throws SakuraError NO_ANSWER when nothing came at all, PORT_FAILED when what came is no Bus Pirate's; ABORTED,
 *   PORT_LOST, CLOSED
 */
export async function enterBitbang(
  wire: BusPirateWire,
  limits: { readonly until: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const entry = new Entry(wire, limits);
  if (!(await entry.enter())) throw entry.failure();
  await entry.settle();
}

/**
 * Sends one 0x00, which leads to bitbang mode from any other, and says whether it did.
 * @throws SakuraError ABORTED, PORT_LOST, CLOSED
 */
export function returnToBitbang(wire: BusPirateWire, wait: Wait): Promise<boolean> {
  const banner = new Banner();
  return wire.watch(ZERO, wait, (bytes) => banner.push(bytes));
}

class Entry {
  readonly #wire: BusPirateWire;
  readonly #signal: AbortSignal | undefined;
  readonly #until: number;
  readonly #banner = new Banner();
  #received = 0;
  /** Something came that no command which waits for bytes answers: text. */
  #text = false;

  constructor(wire: BusPirateWire, limits: { readonly until: number; readonly signal?: AbortSignal | undefined }) {
    this.#wire = wire;
    this.#signal = limits.signal;
    this.#until = limits.until;
  }

  async enter(): Promise<boolean> {
    if (await this.#zeroByZero()) return true;
    if (this.#text) {
      await this.#leaveMenus();
      this.#text = false;
      if (await this.#zeroByZero()) return true;
    }
    // What still prints text is something else: it is not to be flooded.
    return !this.#text && (await this.#feed());
  }

  /** Until nothing comes any more: 0x00s that were too many are answered too. */
  async settle(): Promise<void> {
    const limit = this.#wire.clock.now() + NOISE_MS;
    while (await this.#wire.watch(NOTHING, this.#wait(QUIET_MS), () => true)) {
      if (this.#wire.clock.now() >= limit) throw this.#wire.error("PORT_FAILED", STEP, "does not stop sending");
    }
  }

  failure(): SakuraError {
    const received = this.#received;
    if (received > 0) {
      const says = "answers, but not as a Bus Pirate does: is this the right port?";
      return this.#wire.error("PORT_FAILED", STEP, says, { received });
    }
    const says = "did not answer: is this the right port? One that hangs has to be unplugged and plugged in again";
    return this.#wire.error("NO_ANSWER", STEP, says, { received });
  }

  /** Enough from the terminal, from a mode, and from within a bulk command. */
  async #zeroByZero(): Promise<boolean> {
    for (let zero = 0; zero < SINGLE_ZEROS && !this.#timeIsUp; zero++) {
      if (await this.#see(ZERO, ANSWER_MS)) return true;
    }
    return false;
  }

  /** From a menu of the terminal, where 0x00 counts for nothing, and back to the prompt. */
  async #leaveMenus(): Promise<void> {
    for (let enter = 0; enter < ENTERS && !this.#timeIsUp; enter++) await this.#see(ENTER, ANSWER_MS);
    await this.#see(RESET, TEXT_MS);
  }

  /** From a write-then-read that waits for its bytes. */
  async #feed(): Promise<boolean> {
    for (let fed = 0; fed < FEED_MAX && !this.#timeIsUp; fed += ZEROS_AT_ONCE) {
      if (await this.#see(new Uint8Array(ZEROS_AT_ONCE), FEED_MS)) return true;
    }
    // What it was given it writes to its bus first, and only then looks whether anything came.
    return this.#see(NOTHING, NOISE_MS);
  }

  get #timeIsUp(): boolean {
    return this.#wire.clock.now() >= this.#until;
  }

  /** Whether BBIO1 comes within this time. */
  #see(command: Uint8Array, ms: number): Promise<boolean> {
    return this.#wire.watch(command, this.#wait(ms), (bytes) => {
      this.#received += bytes.length;
      if (bytes.some((byte) => byte > OK_BYTE)) this.#text = true;
      return this.#banner.push(bytes);
    });
  }

  #wait(ms: number): Wait {
    return { step: STEP, until: this.#wire.clock.now() + ms, signal: this.#signal };
  }
}

const BANNER = Buffer.from(busPirateNames.bitbang).toString("latin1");

/** Finds BBIO1 among anything else, however it is split. */
class Banner {
  #tail = "";

  /** Whether it is there now. */
  push(bytes: Uint8Array): boolean {
    const text = this.#tail + Buffer.from(bytes).toString("latin1");
    this.#tail = text.slice(1 - BANNER.length);
    return text.includes(BANNER);
  }
}

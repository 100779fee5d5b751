/** What comes back from a line when a module is asked for a sign of life, told apart as far as bytes permit. */
import { type AtAnswerEvent, AtAnswerParser, encodeCommandLine } from "../../protocol/at.ts";
import type { ByteDuplex, Clock } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { encodeRequest, frameProblem } from "../../protocol/frame.ts";

export type Hearing =
  /** A frame came back (§3): a module. */
  | { readonly kind: "module" }
  /** `AT` is answered `OK`, and a module's frame is not understood: a modem, or a module that is busy. */
  | { readonly kind: "at-only" }
  | { readonly kind: "silence" }
  /** What was sent, and nothing else. */
  | { readonly kind: "loopback" }
  /** Readable lines of something else. */
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  | { readonly kind: "garbage"; readonly bytes: Uint8Array };

export interface AskOptions {
  readonly clock: Clock;
  /** How long an answer is waited for, in ms. */
  readonly listenMs: number;
  readonly signal?: AbortSignal | undefined;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
/** The line end before it ends what half a line the module may hold. */
const AT = ascii("\nAT\n");
/** ECHO_BACK writes nothing and every firmware knows it. */
const ECHO = encodeCommandLine(encodeRequest("ECHO_BACK", Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c)));
/** A noisy line may spoil one. */
const TRIES = 3;
/** Enough to tell what it is. */
const HEARD_MAX = 4096;

/**
 * Asks `AT`, and where anything comes for an echo. The line must be nobody else's meanwhile; it is left open.
 * @throws SakuraError ABORTED, and why the line ended
 */
export async function askLine(duplex: ByteDuplex, options: AskOptions): Promise<Hearing> {
  const all: Uint8Array[] = [];
  const tryOften = async (request: Uint8Array, isAnswer: (event: AtAnswerEvent) => boolean): Promise<boolean> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const { bytes, answered } = await ask(duplex, request, isAnswer, options);
      all.push(bytes);
      if (answered) return true;
      // Asking once more changes neither, and each takes the whole wait.
      if (tries > 0 && (bytes.length === 0 || isEcho(bytes))) break;
    }
    return false;
  };
  const isAt = await tryOften(AT, ({ kind }) => kind === "ok");
  if (!isAt && all.every(({ length }) => length === 0)) return { kind: "silence" };
  const isModule = await tryOften(ECHO, (event) => event.kind === "answer" && frameProblem(event.frame) === undefined);
  if (isModule) return { kind: "module" };
  return isAt ? { kind: "at-only" } : hearingOf(Uint8Array.from(all.flatMap((bytes) => [...bytes])));
}

function hearingOf(heard: Uint8Array): Hearing {
  if (isEcho(heard)) return { kind: "loopback" };
  return { kind: isText(heard) ? "text" : "garbage", bytes: heard };
}

/** Writes, and collects what comes until the answer is there or the time is up. */
function ask(
  duplex: ByteDuplex,
  request: Uint8Array,
  isAnswer: (event: AtAnswerEvent) => boolean,
  { clock, listenMs, signal }: AskOptions,
): Promise<{ readonly bytes: Uint8Array; readonly answered: boolean }> {
  return new Promise((resolve, reject) => {
    const heard: number[] = [];
    const stops: (() => void)[] = [];
    const finish = (then: () => void): void => {
      for (const stop of stops.splice(0)) stop();
      then();
    };
    const end = (answered: boolean): void =>
      finish(() => resolve({ bytes: Uint8Array.from(heard.slice(0, HEARD_MAX)), answered }));
    const onAbort = (): void =>
      finish(() => reject(new SakuraError("ABORTED", "the examination was stopped", { cause: signal?.reason })));
    if (signal?.aborted) {
      onAbort();
      return;
    }
    const parser = new AtAnswerParser((event) => {
      if (isAnswer(event)) end(true);
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    stops.push(
      () => signal?.removeEventListener("abort", onAbort),
      clock.after(listenMs, () => end(false)),
      duplex.onBytes((chunk) => {
        if (heard.length < HEARD_MAX) heard.push(...chunk);
        parser.push(chunk);
      }),
    );
    stops.push(
      duplex.onClose((reason) =>
        finish(() => reject(reason ?? new SakuraError("CLOSED", `${duplex.name} was closed meanwhile`))),
      ),
    );
    duplex.write(request);
  });
}

function linesOf(bytes: Uint8Array): string[] {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return text.split(/[\r\n]+/).filter((line) => line !== "");
}

const SENT = [...linesOf(AT), ...linesOf(ECHO)];

function isEcho(heard: Uint8Array): boolean {
  const lines = linesOf(heard);
  return lines.length > 0 && lines.every((line) => SENT.includes(line));
}

/** So much of a text is ASCII: consoles show colours, and a word in another script; noise at a wrong rate has less. */
const TEXT_PART = 0.9;

function isText(heard: Uint8Array): boolean {
  const readable = heard.filter(
    (byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x1b,
  );
  return readable.length >= TEXT_PART * heard.length;
}

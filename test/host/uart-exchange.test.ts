/** Frames over a UART, byte for byte, in virtual time. */
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import type { FrameEvent } from "../../host/transport/exchange.ts";
import { UartExchange, type UartOptions } from "../../host/transport/uart.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { failsWith } from "../support/errors.ts";
import { echoed, ScriptedModule } from "../support/scripted-module.ts";

const GET_SIGNAL_QUALITY = Uint8Array.of(0x02, 0x00, 0x02);
const SIGNAL_5 = Uint8Array.of(0x01, 0x01, 0x05, 0x05);
const ANSWER = "*CMD:01010505\r\nOK\r\n";
/** Ends every timeout of these tests, wire time and patience with a slow module included. */
const LONG = 20_000;

async function opened(module: ScriptedModule, options: UartOptions = {}) {
  const clock = new VirtualClock();
  const opening = UartExchange.open(module.host, { clock, ...options });
  await clock.advance(25);
  const uart = await opening;
  module.lines.length = 0;
  return { clock, uart };
}

/** What a promise has come to by now, without waiting for it. */
function watch<T>(work: Promise<T>): { result: T | undefined; settled: boolean } {
  const watched: { result: T | undefined; settled: boolean } = { result: undefined, settled: false };
  work.then(
    (result) => Object.assign(watched, { result, settled: true }),
    () => Object.assign(watched, { settled: true }),
  );
  return watched;
}

const ask = { timeoutMs: 1000 };

describe("opening", () => {
  it("ends what half a line the module may hold, and asks it nothing", async () => {
    const module = new ScriptedModule();
    const clock = new VirtualClock();
    const opening = UartExchange.open(module.host, { clock });
    await clock.advance(25);
    const uart = await opening;
    expect(module.lines).toEqual([""]);
    expect(uart.suspect).toBe(false);
  });

  it("waits out what an earlier program has asked for, and then is wary", async () => {
    const module = new ScriptedModule();
    const clock = new VirtualClock();
    const opening = UartExchange.open(module.host, { clock });
    const state = watch(opening);
    await clock.advance(20);
    module.say("*CMD:0100");
    await clock.advance(20);
    module.say("01\r\nOK\r\n");
    await clock.advance(24);
    expect(state.settled).toBe(false);
    await clock.advance(1);
    const uart = await opening;
    expect(uart.suspect).toBe(true);
  });

  it("does not wait for ever for a line that is never quiet", async () => {
    const module = new ScriptedModule();
    const clock = new VirtualClock();
    const state = watch(UartExchange.open(module.host, { clock }));
    for (let ms = 0; ms < 500; ms += 10) {
      expect(state.settled).toBe(false);
      module.say("~");
      await clock.advance(10);
    }
    expect(state.settled).toBe(true);
  });

  it("closes the port when it is given up", async () => {
    const module = new ScriptedModule();
    const clock = new VirtualClock();
    const abort = new AbortController();
    const opening = failsWith("ABORTED", UartExchange.open(module.host, { clock, signal: abort.signal }));
    abort.abort();
    await opening;
    let closed = false;
    module.host.onClose(() => {
      closed = true;
    });
    expect(closed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe("an exchange", () => {
  it("sends the line, and hands the answer out with its OK", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module);
    const answer = uart.exchange(GET_SIGNAL_QUALITY, ask);
    const state = watch(answer);
    await clock.advance(0);
    expect(module.lines).toEqual(["AT*CMD=020002"]);
    module.say("*CMD:01010505\r\n");
    await clock.advance(50);
    expect(state.settled).toBe(false);
    module.say("OK\r\n");
    expect(await answer).toEqual(SIGNAL_5);
    expect(uart.suspect).toBe(false);
  });

  it("takes an answer that comes a byte at a time, in lower case, with LF alone", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module);
    const answer = uart.exchange(Uint8Array.of(0xa1, 0x00, 0xa1), ask);
    for (const character of "*CMD:010a313642303130303236307b\nOK\n") {
      module.say(character);
      await clock.advance(1);
    }
    expect(Buffer.from(await answer).toString("latin1")).toBe("\x01\x0a16B0100260\x7b");
  });

  it("with early, hands it out with its last digit, and passes the OK over later", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module, { early: true });
    const first = uart.exchange(GET_SIGNAL_QUALITY, ask);
    await clock.advance(0);
    module.say("*CMD:01010505");
    expect(await first).toEqual(SIGNAL_5);
    const second = uart.exchange(GET_SIGNAL_QUALITY, ask);
    module.say("\r\nOK\r\n");
    await clock.advance(0);
    module.say("*CMD:01010404\r\nOK\r\n");
    expect(await second).toEqual(Uint8Array.of(0x01, 0x01, 0x04, 0x04));
    expect(uart.suspect).toBe(false);
  });

  it("passes over a stale OK, blank lines and noise before the answer", async () => {
    const module = new ScriptedModule(() => `OK\r\n\r\n\xff\xfe\x80\r\n\xf0${ANSWER}`);
    const { uart } = await opened(module);
    expect(await uart.exchange(GET_SIGNAL_QUALITY, ask)).toEqual(SIGNAL_5);
  });

  it("waits 100 ms for an OK that does not come", async () => {
    const module = new ScriptedModule(() => "*CMD:01010505\r\n");
    const { clock, uart } = await opened(module);
    const answer = uart.exchange(GET_SIGNAL_QUALITY, ask);
    const state = watch(answer);
    await clock.advance(99);
    expect(state.settled).toBe(false);
    await clock.advance(2);
    expect(state.result).toEqual(SIGNAL_5);
    expect(await answer).toEqual(SIGNAL_5);
  });

  it("takes anything else behind the answer for its OK", async () => {
    const module = new ScriptedModule(() => "*CMD:01010505\r\nOJ\r\n");
    const { uart } = await opened(module);
    expect(await uart.exchange(GET_SIGNAL_QUALITY, ask)).toEqual(SIGNAL_5);
  });

  it("hands out a frame with a wrong parity or size as it came", async () => {
    const module = new ScriptedModule(() => "*CMD:01010504\r\nOK\r\n");
    const { uart } = await opened(module);
    expect(await uart.exchange(GET_SIGNAL_QUALITY, ask)).toEqual(Uint8Array.of(0x01, 0x01, 0x05, 0x04));
    module.script = () => "*CMD:010105\r\nOK\r\n";
    expect(await uart.exchange(GET_SIGNAL_QUALITY, ask)).toEqual(Uint8Array.of(0x01, 0x01, 0x05));
  });

  it.each(["*CMD:0101G505\r\nOK\r\n", "*CND:01010505\r\nOK\r\n", "*CMD:0101050\r\nOK\r\n"])(
    "knows %j at once for a damaged answer",
    async (text) => {
      const module = new ScriptedModule(() => text);
      const { clock, uart } = await opened(module);
      const before = clock.now();
      await failsWith("DAMAGED_ANSWER", uart.exchange(GET_SIGNAL_QUALITY, ask));
      expect(clock.now()).toBe(before);
      expect(uart.suspect).toBe(true);
    },
  );

  it("takes ERROR for a refusal", async () => {
    const module = new ScriptedModule(() => "ERROR\r\n");
    const { uart } = await opened(module);
    const error = await failsWith("MODULE_REFUSED", uart.exchange(GET_SIGNAL_QUALITY, ask));
    expect(error.context).toMatchObject({ status: "ERROR" });
    expect(uart.suspect).toBe(true);
  });

  it("gives up after the timeout and the time on the wire", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module);
    const missing = failsWith("NO_ANSWER", uart.exchange(GET_SIGNAL_QUALITY, ask));
    const state = watch(missing);
    await clock.advance(1000);
    expect(state.settled).toBe(false);
    await clock.advance(50);
    expect((await missing).context).toMatchObject({ timeoutMs: 1000, noise: false });
  });

  it("gives a slow line the time that it needs: an answer of 255 bytes takes half a second at 9600 baud", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module, { baudRate: 9600 });
    const missing = failsWith("NO_ANSWER", uart.exchange(GET_SIGNAL_QUALITY, { timeoutMs: 100 }));
    const state = watch(missing);
    await clock.advance(640);
    expect(state.settled).toBe(false);
    await clock.advance(40);
    await missing;
  });

  it("says when only noise came", async () => {
    const module = new ScriptedModule(() => "\x83\x07\xf1\r\n");
    const { clock, uart } = await opened(module);
    const missing = failsWith("NO_ANSWER", uart.exchange(GET_SIGNAL_QUALITY, ask));
    await clock.advance(LONG);
    expect((await missing).context).toMatchObject({ noise: true });
  });

  it("ends with the signal, before and on the way", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module);
    await failsWith("ABORTED", uart.exchange(GET_SIGNAL_QUALITY, { ...ask, signal: AbortSignal.abort() }));
    expect(module.lines).toEqual([]);
    const abort = new AbortController();
    const given = failsWith("ABORTED", uart.exchange(GET_SIGNAL_QUALITY, { ...ask, signal: abort.signal }));
    await clock.advance(10);
    abort.abort();
    await given;
    expect(uart.suspect).toBe(true);
  });

  it("ends with the port, and every later one too", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module);
    const lost = failsWith("PORT_LOST", uart.exchange(GET_SIGNAL_QUALITY, ask));
    await clock.advance(0);
    module.lose();
    await lost;
    await failsWith("PORT_LOST", uart.exchange(GET_SIGNAL_QUALITY, ask));
    await failsWith("PORT_LOST", uart.resync(ask));
    expect(clock.pending).toBe(0);
  });

  it("ends with close, and every later one too", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module);
    const closed = failsWith("CLOSED", uart.exchange(GET_SIGNAL_QUALITY, ask));
    await uart.close();
    await closed;
    await failsWith("CLOSED", uart.exchange(GET_SIGNAL_QUALITY, ask));
    expect(clock.pending).toBe(0);
  });

  it("comes one at a time", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await opened(module);
    const first = uart.exchange(GET_SIGNAL_QUALITY, ask);
    await failsWith("INVALID_ARGUMENT", uart.exchange(GET_SIGNAL_QUALITY, ask));
    await clock.advance(0);
    module.say(ANSWER);
    expect(await first).toEqual(SIGNAL_5);
  });

  it("shares one timer among a thousand", async () => {
    const module = new ScriptedModule(() => ANSWER);
    const { clock, uart } = await opened(module);
    for (let i = 0; i < 1000; i++) await uart.exchange(GET_SIGNAL_QUALITY, ask);
    expect(clock.pending).toBe(1);
    await clock.advance(LONG);
    expect(clock.pending).toBe(0);
  });
});

describe("getting in step again", () => {
  async function unanswered(module: ScriptedModule, options: UartOptions = {}) {
    const bench = await opened(module, options);
    const missing = failsWith("NO_ANSWER", bench.uart.exchange(GET_SIGNAL_QUALITY, ask));
    await bench.clock.advance(1100);
    await missing;
    expect(bench.uart.suspect).toBe(true);
    module.lines.length = 0;
    return bench;
  }

  it("ends half a line, waits until it is quiet, and has an echo sent back", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    const resync = uart.resync(ask);
    await clock.advance(24);
    expect(module.lines).toEqual([""]);
    await clock.advance(1);
    expect(module.lines).toEqual(["", "PING"]);
    expect(await resync).toMatchObject({ late: undefined, unreadable: false });
    expect(uart.suspect).toBe(false);
  });

  it("hands out the answer that was only late, before its own echo", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    module.ping = (line) => `${ANSWER}${echoed(line)}`;
    const resync = uart.resync(ask);
    await clock.advance(25);
    expect(await resync).toMatchObject({ late: SIGNAL_5 });
  });

  it("hands out a late refusal only while no echo has been asked for", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    const first = uart.resync(ask);
    await clock.advance(0);
    module.say("*CMD:070007\r\nOK\r\n");
    await clock.advance(30);
    expect(await first).toMatchObject({ late: Uint8Array.of(0x07, 0x00, 0x07) });

    let refused = 0;
    module.ping = (line) => (refused++ === 0 ? "*CMD:070007\r\nOK\r\n" : echoed(line));
    const second = uart.resync(ask);
    await clock.advance(100);
    expect(await second).toMatchObject({ late: undefined });
    expect(module.lines.filter((line) => line === "PING")).toHaveLength(3);
  });

  it("asks for the echo again when it was lost, damaged or not understood", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    const answers = ["ERROR\r\n", "*CMD:020002\r\nOK\r\n", "*CMD:0xx\r\nOK\r\n", undefined];
    module.ping = (line) => (answers.length > 0 ? answers.shift() : echoed(line));
    const resync = uart.resync(ask);
    await clock.advance(LONG);
    expect(await resync).toMatchObject({ late: undefined, unreadable: true });
    expect(module.lines.filter((line) => line === "PING")).toHaveLength(5);
    expect(uart.suspect).toBe(false);
  });

  it("waits for the last of several echoes", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    const echoes: string[] = [];
    module.ping = (line) => {
      echoes.push(echoed(line));
      return undefined;
    };
    const resync = uart.resync(ask);
    const state = watch(resync);
    await clock.advance(700);
    expect(echoes).toHaveLength(2);
    module.say(echoes[0] ?? "");
    await clock.advance(100);
    expect(state.settled).toBe(false);
    module.say(echoes[1] ?? "");
    await resync;
    expect(uart.suspect).toBe(false);
  });

  it("does not take an echo that comes too late for the next answer", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    let echo = "";
    module.ping = (line) => {
      echo = echoed(line);
      return undefined;
    };
    const failed = failsWith("NO_ANSWER", uart.resync(ask));
    await clock.advance(LONG);
    await failed;
    module.script = () => `${echo}${ANSWER}`;
    expect(await uart.exchange(GET_SIGNAL_QUALITY, ask)).toEqual(SIGNAL_5);
  });

  it.each([
    ["its number", 22],
    ["its parity", 30],
  ])("does not take an echo with a flipped bit in %s for the right one", async (_what, at) => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    let pings = 0;
    module.ping = (line) => {
      pings++;
      const echo = echoed(line);
      const flipped = (Number.parseInt(echo[at] ?? "", 16) ^ 2).toString(16).toUpperCase();
      return pings === 1 ? `${echo.slice(0, at)}${flipped}${echo.slice(at + 1)}` : echo;
    };
    const resync = uart.resync(ask);
    await clock.advance(LONG);
    expect(await resync).toMatchObject({ late: undefined });
    expect(pings).toBe(2);
  });

  it("is content with a module that knows no echo", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    module.ping = () => "*CMD:030003\r\nOK\r\n";
    const resync = uart.resync(ask);
    await clock.advance(30);
    await resync;
    expect(uart.suspect).toBe(false);
  });

  it("gives up on a module that does not react", async () => {
    const module = new ScriptedModule();
    const { clock, uart } = await unanswered(module);
    module.ping = () => undefined;
    const failed = failsWith("NO_ANSWER", uart.resync(ask));
    const state = watch(failed);
    await clock.advance(1000);
    expect(state.settled).toBe(false);
    await clock.advance(100);
    await failed;
    expect(module.lines).toEqual(["", "PING", "", "PING"]);
    expect(uart.suspect).toBe(true);
  });

  it("ends with the signal, the port and close", async () => {
    for (const end of ["ABORTED", "PORT_LOST", "CLOSED"] as const) {
      const module = new ScriptedModule();
      const { clock, uart } = await unanswered(module);
      module.ping = () => undefined;
      const abort = new AbortController();
      const failed = failsWith(end, uart.resync({ ...ask, signal: abort.signal }));
      await clock.advance(100);
      if (end === "ABORTED") abort.abort();
      else if (end === "PORT_LOST") module.lose();
      else await uart.close();
      await failed;
      expect(uart.suspect).toBe(true);
    }
  });
});

describe("what goes over the wire", () => {
  it("is told frame by frame, with the time", async () => {
    const module = new ScriptedModule(() => ANSWER);
    const { clock, uart } = await opened(module);
    const frames: FrameEvent[] = [];
    const stop = uart.onFrame((frame) => frames.push(frame));
    await uart.exchange(GET_SIGNAL_QUALITY, ask);
    stop();
    await uart.exchange(GET_SIGNAL_QUALITY, ask);
    expect(frames).toEqual([
      { direction: "request", time: clock.now(), bytes: GET_SIGNAL_QUALITY },
      { direction: "answer", time: clock.now(), bytes: SIGNAL_5 },
    ]);
  });

  it("is told too where it is no frame, and where nothing comes", async () => {
    // ERROR; an answer whose OK is damaged; half an answer; nothing.
    const said = ["ERROR\r\n", "*CMD:01010505\r\nOL\r\n", "*CMD:0101", ""];
    const { clock, uart } = await opened(new ScriptedModule(() => said.shift() ?? ""));
    const told: (string | FrameEvent["direction"])[] = [];
    const stop = uart.onStray((stray) =>
      told.push(stray.kind === "noise" ? Buffer.from(stray.bytes).toString("latin1") : stray.kind),
    );
    uart.onFrame(({ direction }) => told.push(direction));
    const outcomes: string[] = [];
    for (let times = 0; times < 4; times++) {
      const exchanged = uart.exchange(GET_SIGNAL_QUALITY, ask).then(
        () => "answer",
        (error: unknown) => (isSakuraError(error) ? error.code : "?"),
      );
      await clock.advance(LONG);
      outcomes.push(await exchanged);
    }
    expect(outcomes).toEqual(["MODULE_REFUSED", "answer", "NO_ANSWER", "NO_ANSWER"]);
    expect(told).toEqual([
      ...["request", "ERROR\r\n"],
      ...["request", "answer", "OL\r\n"],
      ...["request", "*CMD:0101", "silence"],
      ...["request", "silence"],
    ]);
    stop();
  });
});

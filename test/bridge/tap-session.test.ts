/** What a tap makes of the lines that pass (module-protocol §1, §2, §3): which answers belong to which requests. */
import { describe, expect, it, onTestFinished } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import type { LinkNote } from "../../host/bridge/index.ts";
import { TAP_WAITING_MAX } from "../../host/bridge/links/tap-publisher.ts";
import { TapSession } from "../../host/bridge/links/tap-session.ts";
import type { Uplink } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { framed, int32, START, valuesOf } from "../support/desk.ts";
import { settled } from "../support/held-uplink.ts";

/** TX_ENQUEUE of an int32 on channel 1. */
const enqueue = (value: number): string => framed(0x20, ...int32(1, value));
const TX_LENGTH = "22 00 22";
const TX_CLEAR = "23 00 23";
const TX_SEND = "24 00 24";
const TX_STAT = "25 00 25";
const OK = "01 00 01";
const RUNTIME = "05 00 05";
const BUSY = "07 00 07";
/** TX_LENGTH's answer: so many queued of 32. */
const length = (queued: number): string => framed(0x01, 32 - queued, queued);

function desk() {
  const clock = new VirtualClock(START);
  const log = new MessageLog(clock);
  const notes: LinkNote[] = [];
  const state: { refusal: string | undefined } = { refusal: undefined };
  const uplink: Uplink = {
    take: (message) =>
      state.refusal === undefined
        ? log.take(message)
        : Promise.reject(new SakuraError("REFUSED", "no room", { context: { reason: state.refusal } })),
  };
  const session = new TapSession({ module: "u1", uplink, clock, random: () => 0, note: (note) => notes.push(note) });
  onTestFinished(() => session.close());
  const raw = (from: "mcu" | "module", text: string): void => session.passed(from, Buffer.from(text, "latin1"));
  const asks = (frame: string): void => raw("mcu", `AT*CMD=${frame.replaceAll(" ", "")}\n`);
  const answers = (frame: string): void => raw("module", `*CMD:${frame.replaceAll(" ", "")}\r\nOK\r\n`);
  const values = async (): Promise<unknown[][]> => {
    await settled();
    return valuesOf(log.messages);
  };
  return {
    clock,
    log,
    notes,
    state,
    session,
    raw,
    asks,
    answers,
    values,
    does(request: string, answer = OK) {
      asks(request);
      answers(answer);
    },
  };
}

describe("a tap publishes", () => {
  it("what was enqueued when the module takes TX_SEND, each with the time of its TX_ENQUEUE plus its offset", async () => {
    const { clock, does, log } = desk();
    // §2: channel 3, type i, 25, offset -1000 ms
    does("20 12 03 69 19 00 00 00 00 00 00 00 18 FC FF FF FF FF FF FF A5");
    await clock.advance(2_500);
    does("20 0A 04 49 FF FF FF FF 00 00 00 00 67");
    await clock.advance(1_000);
    expect(log.messages).toEqual([]);
    does(TX_SEND);
    await settled();
    expect(log.messages).toEqual([
      {
        module: "u1",
        type: "channels",
        datetime: "2017-04-01T04:51:13.500Z",
        payload: {
          channels: [
            { channel: 3, type: "i", value: 25, datetime: "2017-04-01T04:51:09.000Z" },
            { channel: 4, type: "I", value: 4294967295, datetime: "2017-04-01T04:51:12.500Z" },
          ],
        },
      },
    ]);
  });

  it("a long queue as several messages of 16 channels, in order", async () => {
    const { does, values } = desk();
    for (let value = 0; value < 20; value++) does(enqueue(value));
    does(TX_SEND);
    const sizes = (await values()).map((message) => message.length);
    expect(sizes).toEqual([16, 4]);
    expect((await values()).flat()).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it("TX_SENDIMMED by itself, one channel or more, whatever is queued", async () => {
    const { does, values } = desk();
    does(enqueue(1));
    // §2: channel 0, type i, 25
    does("21 0A 00 69 19 00 00 00 00 00 00 00 5B");
    does(framed(0x21, ...int32(1, 7), ...int32(2, 8)));
    expect(await values()).toEqual([[25], [7, 8]]);
    does(TX_SEND);
    expect(await values()).toEqual([[25], [7, 8], [1]]);
  });

  it("nothing that the module refused, and what it takes at the second try once", async () => {
    const { does, values } = desk();
    does(enqueue(1), RUNTIME);
    does(enqueue(2), "02 00 02");
    does(enqueue(2));
    does(TX_SEND, BUSY);
    expect(await values()).toEqual([]);
    does(TX_SEND);
    expect(await values()).toEqual([[2]]);
    does(TX_SEND);
    expect(await values()).toEqual([[2]]);
  });

  it.each([
    ["TX_CLEAR", TX_CLEAR],
    ["SOFTWARE_RESET", "AF 00 AF"],
  ])("nothing that %s has emptied", async (_name, command) => {
    const { does, values } = desk();
    does(enqueue(1));
    does(command, "06 00 06");
    does(enqueue(2));
    does(command);
    does(enqueue(3));
    does(TX_SEND);
    expect(await values()).toEqual([[3]]);
  });
});

describe("a line that loses answers", () => {
  it("does not double a value whose TX_ENQUEUE is repeated", async () => {
    const { asks, does, values, session } = desk();
    asks(enqueue(1));
    does(enqueue(1));
    does(TX_SEND);
    expect(await values()).toEqual([[1]]);
    expect(session.counts()).toMatchObject({ requests: 3, answers: 2, unanswered: 1 });
  });

  it("does not lose the values whose TX_SEND had no answer: they go with the next", async () => {
    const { asks, does, values } = desk();
    does(enqueue(1));
    asks(TX_SEND);
    does(enqueue(2));
    does(TX_SEND);
    expect(await values()).toEqual([[1, 2]]);
  });

  it.each([
    ["a wrong parity", "*CMD:010000\r\nOK\r\n"],
    ["a digit too few", "*CMD:01000\r\nOK\r\n"],
    ["ERROR", "ERROR\r\n"],
  ])("counts an answer with %s for none", async (_what, answer) => {
    const { asks, raw, does, values } = desk();
    asks(enqueue(1));
    raw("module", answer);
    does(enqueue(2));
    does(TX_SEND);
    expect(await values()).toEqual([[2]]);
  });

  it("gives a late answer to the request that it is of, when it is behind the answer to a repeated one", async () => {
    const { asks, answers, does, values } = desk();
    asks(enqueue(1));
    asks(enqueue(1));
    answers(OK);
    answers(OK);
    does(enqueue(2));
    does(TX_SEND);
    // The module has it twice, and sends it twice.
    expect(await values()).toEqual([[1, 1, 2]]);
  });

  it("gives a late answer to the request that it fits", async () => {
    const { asks, answers, does, values, session } = desk();
    does(enqueue(1));
    asks(TX_LENGTH);
    asks(TX_SEND);
    answers(length(1));
    expect(await values()).toEqual([]);
    answers(OK);
    expect(await values()).toEqual([[1]]);
    expect(session.counts()).toMatchObject({ stray_answers: 0 });
  });

  it("publishes a value whose good answer comes behind that of its TX_SEND", async () => {
    const { asks, answers, values } = desk();
    asks(enqueue(1));
    asks(TX_SEND);
    answers(OK);
    answers(OK);
    expect(await values()).toEqual([[1]]);
  });

  it("takes no answer for that of a request long ago, and none twice", async () => {
    const { clock, asks, answers, does, values, session } = desk();
    asks(enqueue(1));
    does(TX_STAT, framed(0x01, 0, 0));
    await clock.advance(10_000);
    answers(OK);
    does(enqueue(2));
    answers(OK);
    does(TX_SEND);
    expect(await values()).toEqual([[2]]);
    expect(session.counts()).toMatchObject({ stray_answers: 2 });
  });
});

describe("a module that says how much it holds", () => {
  it("has sent what it does not hold any more, when a TX_SEND was without an answer", async () => {
    const { asks, does, values, notes } = desk();
    does(enqueue(1));
    asks(TX_SEND);
    does(enqueue(2));
    does(TX_LENGTH, length(1));
    expect(await values()).toEqual([[1]]);
    does(TX_SEND);
    expect(await values()).toEqual([[1], [2]]);
    expect(notes).toEqual([]);
  });

  it("has lost it otherwise, and who runs the bridge is told", async () => {
    const { does, values, notes } = desk();
    does(enqueue(1));
    does(enqueue(2));
    // The MCU has pulled its reset line.
    does(TX_LENGTH, length(0));
    does(enqueue(3));
    does(TX_SEND);
    expect(await values()).toEqual([[3]]);
    expect(notes).toEqual([{ note: "values-gone", message: expect.stringMatching(/^module u1: 2 values left/) }]);
  });

  it("may hold more than was seen, such as what it could not send", async () => {
    const { does, values, notes } = desk();
    does(enqueue(1));
    does(TX_SEND);
    does(TX_LENGTH, length(1));
    does(TX_SEND);
    expect(await values()).toEqual([[1]]);
    expect(notes).toEqual([]);
  });

  it("never holds more than 255, whatever was missed", async () => {
    const { does, session, notes } = desk();
    for (let value = 0; value < 300; value++) does(enqueue(value));
    // 16 at a time leave it: at the 256th, the 272nd and the 288th.
    expect(session.counts()).toMatchObject({ queued: 252 });
    expect(notes.map(({ note }) => note)).toEqual(["values-gone", "values-gone", "values-gone"]);
  });
});

describe("noise on the line", () => {
  it("is counted, and changes nothing", async () => {
    const { raw, asks, answers, does, values, session, notes } = desk();
    raw("mcu", "\xff\xfe");
    does(enqueue(1));
    raw("mcu", "hello\r\n");
    raw("module", "ERROR\r\n");
    raw("module", "\x80boot v1\r\n");
    raw("mcu", "AT\r\nA\r\n");
    asks(TX_SEND);
    // About the line before.
    raw("module", "OK\r\nERROR\r\n?!");
    answers(OK);
    expect(await values()).toEqual([[1]]);
    expect(session.counts()).toMatchObject({ noise_bytes_mcu: 8, noise_bytes_module: 8, unanswered: 0 });
    expect(notes).toEqual([]);
  });

  it("may be a command that the module knows and this program does not", async () => {
    const { does, values, notes } = desk();
    // TX_ENQUEUE of a type "x"
    does(framed(0x20, 1, 0x78, 0, 0, 0, 0, 0, 0, 0, 0));
    does("EE 00 EE");
    does(TX_SEND);
    expect(await values()).toEqual([]);
    expect(notes.map(({ note }) => note)).toEqual(["not-understood"]);
  });

  it("of half a line ends with the program that wrote it", async () => {
    const { raw, does, values, session } = desk();
    raw("mcu", "AT*CMD=24");
    session.mcuChanged();
    does(enqueue(1));
    does(TX_SEND);
    expect(await values()).toEqual([[1]]);
  });
});

describe("a bridge that does not take what was sent", () => {
  it("gets it later, in order, and says so once", async () => {
    const { clock, does, values, state, notes, session } = desk();
    state.refusal = "outbox-full";
    for (const value of [1, 2, 3]) {
      does(enqueue(value));
      does(TX_SEND);
    }
    await clock.advance(30_000);
    expect(await values()).toEqual([]);
    expect(session.counts()).toMatchObject({ waiting: 3, published: 0, lost: 0 });
    state.refusal = undefined;
    await clock.advance(5_000);
    expect(await values()).toEqual([[1], [2], [3]]);
    expect(notes).toEqual([{ note: "waiting", message: "module u1: what was sent waits to be published: no room" }]);
    expect(session.counts()).toMatchObject({ waiting: 0, published: 3, lost: 0 });
  });

  it("loses the newest when too much waits, and says so once", async () => {
    const { clock, does, values, state, notes, session } = desk();
    state.refusal = "outbox-full";
    const sends = TAP_WAITING_MAX + 3;
    for (let value = 0; value < sends; value++) {
      does(framed(0x21, ...int32(1, value)));
      if (value === 0) await settled();
    }
    expect(session.counts()).toMatchObject({ waiting: TAP_WAITING_MAX, lost: 3 });
    state.refusal = undefined;
    await clock.advance(5_000);
    expect((await values()).flat()).toEqual(Array.from({ length: TAP_WAITING_MAX }, (_, i) => i));
    expect(notes.map(({ note }) => note)).toEqual(["waiting", "values-lost"]);
  });

  it("does not stop the messages behind one that it never takes", async () => {
    const { does, values, state, notes } = desk();
    state.refusal = "too-large";
    does(framed(0x21, ...int32(1, 1)));
    await settled();
    state.refusal = undefined;
    does(framed(0x21, ...int32(1, 2)));
    expect(await values()).toEqual([[2]]);
    expect(notes.map(({ note }) => note)).toEqual(["values-lost"]);
  });

  it("is told at its end what it has not taken", async () => {
    const { clock, does, state, notes, session } = desk();
    state.refusal = "closing";
    does(framed(0x21, ...int32(1, 1)));
    does(framed(0x21, ...int32(1, 2)));
    await settled();
    await session.close();
    expect(notes.at(-1)).toEqual({ note: "values-lost", message: expect.stringMatching(/taken 2 messages.*lost/) });
    expect(clock.pending).toBe(0);
    does(framed(0x21, ...int32(1, 3)));
    expect(session.counts()).toMatchObject({ waiting: 0, lost: 3 });
  });
});

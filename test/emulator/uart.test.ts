/** The module's side of a UART (module-protocol §3), byte for byte. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attachUart, type UartEvent } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { desk, enqueueInts, START, valuesOf } from "../support/desk.ts";
import { FakeLine } from "../support/fake-line.ts";

const ID_ANSWER = "*CMD:010A313642303130303236307B\r\nOK\r\n";
const STATUS_ANSWER = "*CMD:01018080\r\nOK\r\n";
const INVALID_SYNTAX = "*CMD:040004\r\nOK\r\n";

function onLine(options?: Omit<EmulatedModuleOptions, "clock">) {
  const at = desk(options);
  const line = new FakeLine();
  const events: UartEvent[] = [];
  const detach = attachUart(at.module, line.duplex, (event) => events.push(event));
  /** What the module says to this. */
  const say = (chunk: string): string => {
    line.send(chunk);
    return line.read();
  };
  return { ...at, line, events, detach, say };
}

describe("a command line", () => {
  it("is answered by *CMD: and OK", () => {
    expect(onLine().say("AT*CMD=A100A1\n")).toBe("*CMD:010A313642303130303236307B\r\nOK\r\n");
  });

  it.each([
    ["LF", "AT*CMD=A100A1\n"],
    ["CR LF", "AT*CMD=A100A1\r\n"],
    ["CR", "AT*CMD=A100A1\r"],
  ])("may end with %s, and is answered once", (_end, text) => {
    expect(onLine().say(text)).toBe(ID_ANSWER);
  });

  it.each([
    ["lower-case hex", "AT*CMD=a100a1\n"],
    ["hex in both cases", "AT*CMD=A100a1\n"],
    ["blank lines before it", "\r\n\n\r\nAT*CMD=A100A1\n"],
    ["bytes outside ASCII before it", "\x80\xff\xfe\xf8AT*CMD=A100A1\n"],
    ["both", "\xff\r\n\x80\n\xc3\xa9AT*CMD=A100A1\n"],
  ])("may have %s", (_what, text) => {
    expect(onLine().say(text)).toBe(ID_ANSWER);
  });

  it("is answered at its end and not before", () => {
    const { say } = onLine();
    expect(say("AT*CMD=A100A1")).toBe("");
    expect(say("\n")).toBe(ID_ANSWER);
  });

  it("may be split anywhere", () => {
    const text = "\xffAT*CMD=0F04DEADBEEF29\r\n";
    const answer = "*CMD:0104DEADBEEF27\r\nOK\r\n";
    for (let at = 0; at <= text.length; at++) {
      const { say } = onLine();
      expect(say(text.slice(0, at)) + say(text.slice(at)), `split at ${at}`).toBe(answer);
    }
    const { line, say } = onLine();
    for (const character of text) line.send(character);
    expect(say("")).toBe(answer);
  });

  it("may come with others in one chunk: each is answered, in order", () => {
    const { say } = onLine();
    expect(say("AT*CMD=A100A1\nAT*CMD=010001\r\nAT\nAT*CMD=A100A1\nAT*CMD=01")).toBe(
      `${ID_ANSWER}${STATUS_ANSWER}OK\r\n${ID_ANSWER}`,
    );
    expect(say("0001\n")).toBe(STATUS_ANSWER);
  });

  it("may carry 255 bytes, and so may its answer", () => {
    expect(onLine().say(`AT*CMD=0FFF${"5A".repeat(255)}AA\n`)).toBe(`*CMD:01FF${"5A".repeat(255)}A4\r\nOK\r\n`);
  });

  it.each([
    ["a wrong parity", "AT*CMD=A100A0\n", "*CMD:020002\r\nOK\r\n"],
    ["a code that there is not", "AT*CMD=FF00FF\n", "*CMD:030003\r\nOK\r\n"],
    ["a wrong size", "AT*CMD=A101A0\n", INVALID_SYNTAX],
    ["a size beyond any frame's", `AT*CMD=${"00".repeat(546)}\n`, INVALID_SYNTAX],
    ["an empty RX queue", "AT*CMD=300030\n", "*CMD:050005\r\nOK\r\n"],
    ["a lock", "AT*CMD=AF00AF\n", "*CMD:060006\r\nOK\r\n"],
  ])("whose frame is refused is answered by the refusal: %s", (_what, text, answer) => {
    const { say, events } = onLine();
    expect(say(text)).toBe(answer);
    expect(events).toEqual([]);
  });
});

describe("AT alone", () => {
  it.each(["AT\n", "AT\r\n", "AT\r", "\xffAT\n", "\r\nAT\r\n"])("answers OK: %j", (text) => {
    expect(onLine().say(text)).toBe("OK\r\n");
  });
});

describe("a line that is no command", () => {
  const bad = [
    "hello",
    "ATI",
    "A",
    "at",
    "at*cmd=A100A1",
    " AT",
    "AT ",
    "AT*CMD",
    "AT*CMD=",
    "AT*CMD=A1",
    "AT*CMD=A100",
    "AT*CMD=A100A",
    "AT*CMD=A100A1A",
    "AT*CMD=A100G1",
    "AT*CMD=A1 00 A1",
    "AT*CMD=0xA100A1",
    " AT*CMD=A100A1",
    "AT*CMD=A100A1 ",
    "AT*CMD:A100A1",
    "*CMD:010001",
    "OK",
    "\x00AT*CMD=A100A1",
    "AT*CMD=A1\xff00A1",
    "AT*CMD=A100A1\xff",
  ];
  it.each(bad)("answers ERROR, and the next good one works: %j", (text) => {
    const { say, events } = onLine();
    expect(say(`${text}\n`)).toBe("ERROR\r\n");
    expect(events).toEqual([{ kind: "error", line: text }]);
    expect(say("AT*CMD=A100A1\n")).toBe(ID_ANSWER);
    expect(say(`${text}\r\nAT*CMD=A100A1\r\n`)).toBe(`ERROR\r\n${ID_ANSWER}`);
  });

  it.each(["", "\n", "\r\n", "\r\r\n\n", "\xff\xfe\n", "\x80\r\n\x81\r\n"])("is no line at all: %j", (text) => {
    const { say } = onLine();
    expect(say(text)).toBe("");
    expect(say("AT\n")).toBe("OK\r\n");
  });

  it("may have 1,100 characters and is then understood; one more and it is dropped", () => {
    const { say } = onLine();
    // 1,099 characters are 546 bytes, which no frame has; 1,101 would be 547.
    expect(say(`AT*CMD=${"00".repeat(546)}\n`)).toBe(INVALID_SYNTAX);
    expect(say(`AT*CMD=${"00".repeat(547)}\n`)).toBe("ERROR\r\n");
    expect(say(`${"A".repeat(1100)}\n`)).toBe("ERROR\r\n");
    expect(say(`${"A".repeat(1101)}\n`)).toBe("ERROR\r\n");
  });

  it("is dropped up to its end when it is too long: whatever stands in it, one ERROR, at its end", () => {
    const { say } = onLine();
    expect(say("A".repeat(1101))).toBe("");
    expect(say("AT*CMD=A100A1")).toBe("");
    for (let count = 0; count < 100; count++) expect(say("AT*CMD=A100A1".repeat(100))).toBe("");
    expect(say("\r\n")).toBe("ERROR\r\n");
    expect(say("AT*CMD=A100A1\n")).toBe(ID_ANSWER);
  });
});

describe("noise", () => {
  it("before a line is ignored, and reported", () => {
    const { say, events } = onLine();
    expect(say("\x80\x81\xffAT*CMD=A100A1\n\xff")).toBe(ID_ANSWER);
    expect(say("\xfe")).toBe("");
    expect(say("AT\n")).toBe("OK\r\n");
    const noise = events.map((event) => (event.kind === "noise" ? event.bytes : event));
    expect(noise).toEqual([3, 1, 1]);
  });
});

describe("delay", () => {
  const delayed = (delay: number) => ({ flip: 0, drop: 0, busy: 0, delay, seed: 1 });

  it("holds each answer for its time, while the command is carried out at once", async () => {
    const { say, line, module, clock } = onLine();
    module.setFaults(delayed(500));
    expect(say("AT*CMD=200A056919000000000000005F\n")).toBe("");
    expect(module.state.txQueue.length).toBe(1);
    await clock.advance(200);
    expect(say("AT*CMD=010001\n")).toBe("");
    await clock.advance(299);
    expect(line.read()).toBe("");
    await clock.advance(1);
    expect(line.read()).toBe("*CMD:010001\r\nOK\r\n");
    await clock.advance(199);
    expect(line.read()).toBe("");
    await clock.advance(1);
    expect(line.read()).toBe(STATUS_ANSWER);
  });

  it("holds OK and ERROR too", async () => {
    const { say, line, module, clock } = onLine();
    module.setFaults(delayed(500));
    expect(say("AT\nhello\n")).toBe("");
    await clock.advance(500);
    expect(line.read()).toBe("OK\r\nERROR\r\n");
  });

  it("keeps the answers in order when it is made shorter, or ends", async () => {
    const { say, line, module, clock } = onLine();
    module.setFaults(delayed(500));
    say("AT*CMD=A100A1\n");
    module.setFaults(delayed(10));
    say("AT*CMD=010001\n");
    module.setFaults();
    expect(say("AT\n")).toBe("");
    await clock.advance(499);
    expect(line.read()).toBe("");
    await clock.advance(1);
    expect(line.read()).toBe(`${ID_ANSWER}${STATUS_ANSWER}OK\r\n`);
    expect(say("AT\n")).toBe("OK\r\n");
  });

  it("keeps the answers in order also when the clock's waits run late, in any order", () => {
    const waits: (() => void)[] = [];
    const after = (_ms: number, run: () => void) => {
      waits.push(run);
      return () => undefined;
    };
    const module = new EmulatedModule({ clock: { now: () => START, after } });
    const line = new FakeLine();
    attachUart(module, line.duplex);
    module.setFaults(delayed(500));
    line.send("AT*CMD=A100A1\n");
    module.setFaults(delayed(10));
    line.send("AT*CMD=010001\n");
    module.setFaults();
    line.send("AT\n");
    expect(line.read()).toBe("");
    const [first, ...later] = waits;
    for (const run of later.reverse()) run();
    expect(line.read()).toBe("");
    first?.();
    expect(line.read()).toBe(`${ID_ANSWER}${STATUS_ANSWER}OK\r\n`);
  });

  it("is forgotten with the line", async () => {
    const { say, line, module, clock, detach } = onLine();
    module.setFaults(delayed(500));
    say("AT\n");
    detach();
    expect(clock.pending).toBe(0);
    await clock.advance(1000);
    expect(line.read()).toBe("");
  });
});

describe("a bad line", () => {
  it("loses everything at drop=1, in both directions", () => {
    const { say, module } = onLine();
    const frames: unknown[] = [];
    module.onFrame((frame) => frames.push(frame));
    module.setFaults({ flip: 0, drop: 1, busy: 0, delay: 0, seed: 1 });
    expect(say("AT*CMD=A100A1\n")).toBe("");
    expect(frames).toEqual([]);
    module.setFaults();
    expect(say("AT*CMD=A100A1\n")).toBe(ID_ANSWER);
  });

  it("damages the same bytes again with the same seed", () => {
    const run = (seed: number) => {
      const { say, module } = onLine();
      module.setFaults({ flip: 0.02, drop: 0.02, busy: 0.2, delay: 0, seed });
      return Array.from({ length: 50 }, () => say("AT*CMD=A100A1\n"));
    };
    const first = run(4);
    expect(run(4)).toEqual(first);
    expect(run(5)).not.toEqual(first);
    expect(first.filter((answer) => answer === ID_ANSWER).length).toBeGreaterThan(3);
    expect(first.filter((answer) => answer === ID_ANSWER).length).toBeLessThan(47);
    expect(first).toContain("*CMD:070007\r\nOK\r\n");
    expect(first).toContain("ERROR\r\n");
  });
});

describe("a silent firmware update", () => {
  it("answers nothing at all on the line, to a command, to AT or to garbage", async () => {
    const { say, clock } = onLine({ update: { silent: true, outcome: "download-failed" } });
    expect(say("AT*CMD=A804536B726187\n")).toBe("*CMD:010001\r\nOK\r\n");
    expect(say("AT*CMD=A900A9\n")).toBe("*CMD:010001\r\nOK\r\n");
    expect(say("AT*CMD=AA00AA\n")).toBe("");
    expect(say("AT\n")).toBe("");
    expect(say("hello\n")).toBe("");
    await clock.advance(5000);
    expect(say("AT*CMD=AA00AA\n")).toBe("*CMD:01010303\r\nOK\r\n");
    expect(say("AT\n")).toBe("OK\r\n");
  });
});

describe("attaching and detaching", () => {
  it("listens no more once detached, and leaves the stream open", () => {
    const { say, detach, line } = onLine();
    detach();
    detach();
    expect(say("AT\n")).toBe("");
    expect(line.listeners).toBe(0);
    expect(line.ended).toBe(false);
  });

  it("lets go of a stream that ended", () => {
    const { line } = onLine();
    line.lose();
    expect(line.listeners).toBe(0);
  });

  it("serves any number of lines to one module, half lines apart", async () => {
    const { module, say, clock, log } = onLine({ txQueue: 2 });
    const second = new FakeLine();
    attachUart(module, second.duplex);
    expect(say("AT*CMD=200A0569190000")).toBe("");
    second.send("AT*CMD=200A0669190000000000000");
    expect(say("00000000005F\n")).toBe("*CMD:010001\r\nOK\r\n");
    expect(second.read()).toBe("");
    second.send("05C\n");
    expect(second.read()).toBe("*CMD:010001\r\nOK\r\n");
    second.send("AT*CMD=240024\n");
    await clock.advance(100);
    expect(valuesOf(log.messages)).toEqual([[25, 25]]);
  });
});

describe("whatever bytes come", () => {
  const piece = fc.oneof(
    { arbitrary: fc.uint8Array({ maxLength: 30 }).map((data) => Buffer.from(data).toString("latin1")), weight: 3 },
    {
      arbitrary: fc.constantFrom("AT*CMD=", "AT", "\n", "\r\n", "\r", "OK", "*CMD:", "\xff", "A100A1", "200A"),
      weight: 3,
    },
    {
      arbitrary: fc.array(fc.constantFrom(..."0123456789ABCDEFabcdef"), { maxLength: 40 }).map((d) => d.join("")),
      weight: 3,
    },
    {
      arbitrary: fc.constantFrom("AT*CMD=A100A1\n", "AT*CMD=200A056919000000000000005F\r\n", "AT*CMD=230023\n"),
      weight: 1,
    },
  );

  it("the module does not fail, answers in whole lines, and changes only for a good request", () => {
    let changes = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { module, line } = onLine();
        let good = 0;
        module.onFrame((_request, answer) => {
          if (answer?.[0] === 1) good++;
        });
        const { files: _source, ...before } = structuredClone({ ...module.state, files: undefined });
        for (const chunk of pieces) line.send(chunk);
        const { files: _same, ...after } = structuredClone({ ...module.state, files: undefined });
        if (good === 0) expect(after).toEqual(before);
        else changes++;
        expect(line.read()).toMatch(/^((\*CMD:[0-9A-F]{6,}\r\nOK|OK|ERROR)\r\n)*$/);
        // Whatever half a line is left, an end of line clears it.
        line.send("\n");
        line.read();
        line.send("AT*CMD=A100A1\n");
        expect(line.read()).toBe(ID_ANSWER);
      }),
      { seed: 20170401, numRuns: 1000 },
    );
    expect(changes).toBeGreaterThan(100);
  });

  it("a flood of them is swallowed in one go", () => {
    const { line, say } = onLine();
    const dice = new Uint32Array([1]);
    let flood = "";
    for (let i = 0; i < 1_000_000; i++) {
      dice[0] = Math.imul(dice[0] ?? 0, 1_664_525) + 1_013_904_223;
      flood += String.fromCharCode((dice[0] ?? 0) >>> 24);
    }
    line.send(flood);
    line.read();
    say("\n");
    expect(say("AT*CMD=A100A1\n")).toBe(ID_ANSWER);
  });
});

describe("entries over the line", () => {
  it("go up as they would over any bus", async () => {
    const at = onLine();
    enqueueInts(at, 1);
    expect(at.say("AT*CMD=240024\n")).toBe("*CMD:010001\r\nOK\r\n");
    expect(at.say("AT*CMD=250025\n")).toBe("*CMD:0102010002\r\nOK\r\n");
    await at.clock.advance(100);
    expect(at.say("AT*CMD=250025\n")).toBe("*CMD:0102000003\r\nOK\r\n");
    expect(valuesOf(at.log.messages)).toEqual([[0]]);
  });
});

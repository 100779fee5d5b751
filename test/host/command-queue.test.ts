/** What is tried again, what is not, and what the caller is told: in virtual time, over a scripted line. */
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { CommandQueue } from "../../host/command-queue.ts";
import { Connection } from "../../host/connection.ts";
import { SakuraModule } from "../../host/module.ts";
import type { FrameExchange } from "../../host/transport/exchange.ts";
import { SakuraError } from "../../protocol/errors.ts";
import {
  BUSY_ANSWER,
  clientOf,
  inTime,
  inTurn,
  OK_ANSWER,
  PARITY_ANSWER,
  RUNTIME_ANSWER,
  SIGNAL_ANSWER,
  SYNTAX_ANSWER,
} from "../support/client.ts";
import { failsWith } from "../support/errors.ts";
import { echoed } from "../support/scripted-module.ts";

const SIGNAL = "AT*CMD=020002";
const ENQUEUE = "AT*CMD=200A016919000000000000005B";
const VALUE = { channel: 1, type: "i", value: 25 } as const;

describe("order", () => {
  it("has one command in flight, and the others in the order in which they were given", async () => {
    const { clock, scripted, module } = await clientOf();
    const all = Promise.all([module.getSignalQuality(), module.getUniqueId(), module.txClear()]);
    await clock.advance(5);
    expect(scripted.lines).toEqual(["AT*CMD=020002"]);
    scripted.say(SIGNAL_ANSWER);
    await clock.advance(5);
    expect(scripted.lines).toEqual(["AT*CMD=020002", "AT*CMD=A100A1"]);
    scripted.say("*CMD:010A313642303130303236307B\r\nOK\r\n");
    await clock.advance(5);
    expect(scripted.lines).toEqual(["AT*CMD=020002", "AT*CMD=A100A1", "AT*CMD=230023"]);
    scripted.say(OK_ANSWER);
    expect(await all).toEqual([5, "16B0100260", undefined]);
  });

  it("goes on after a failure", async () => {
    const { module } = await clientOf(inTurn(RUNTIME_ANSWER, SIGNAL_ANSWER));
    const refused = failsWith("MODULE_REFUSED", module.rxDequeue());
    const signal = module.getSignalQuality();
    expect((await refused).context).toMatchObject({ command: "RX_DEQUEUE", status: "RUNTIME" });
    expect(await signal).toBe(5);
  });
});

describe("a refusal that says nothing was done", () => {
  it.each([
    ["PARITY", PARITY_ANSWER],
    ["ERROR", "ERROR\r\n"],
    ["BUSY", BUSY_ANSWER],
  ])("%s is tried again, also for a command that must not be repeated", async (_status, refusal) => {
    const { clock, scripted, module } = await clientOf(inTurn(refusal, refusal, OK_ANSWER));
    await inTime(clock, module.txEnqueue(VALUE));
    expect(scripted.commands).toEqual([ENQUEUE, ENQUEUE, ENQUEUE]);
  });

  it.each([
    ["PARITY", PARITY_ANSWER, 9],
    ["ERROR", "ERROR\r\n", 9],
    ["INVALID_SYNTAX", SYNTAX_ANSWER, 3],
  ])("%s is not tried for ever", async (status, refusal, tries) => {
    const { clock, scripted, module } = await clientOf(() => refusal);
    const error = await inTime(clock, failsWith("MODULE_REFUSED", module.txEnqueue(VALUE)));
    expect(error.context).toMatchObject({ status });
    expect(scripted.commands).toHaveLength(tries);
  });

  it("BUSY is tried for two seconds, ever less often", async () => {
    const { clock, scripted, module } = await clientOf(() => BUSY_ANSWER);
    const before = clock.now();
    const error = await inTime(clock, failsWith("MODULE_REFUSED", module.txSend()));
    expect(error.context).toMatchObject({ command: "TX_SEND", status: "BUSY" });
    expect(clock.now() - before).toBeGreaterThanOrEqual(2000);
    expect(clock.now() - before).toBeLessThan(2050);
    // 10, 20, 40, 80, 160, then 250 each, and the rest.
    expect(scripted.commands).toHaveLength(13);
  });

  it.each(["RUNTIME", "MISSING", "LOCKED"])("%s is final", async (status) => {
    const code = { RUNTIME: "050005", MISSING: "030003", LOCKED: "060006" }[status];
    const { scripted, module } = await clientOf(() => `*CMD:${code}\r\nOK\r\n`);
    const error = await failsWith("MODULE_REFUSED", module.getSignalQuality());
    expect(error.context).toMatchObject({ status });
    expect(scripted.commands).toHaveLength(1);
  });

  it("INVALID_SYNTAX is final where no byte can change on the way", async () => {
    let exchanges = 0;
    const exchange: FrameExchange = {
      name: "a bus without noise",
      noisy: false,
      suspect: false,
      exchange: () => {
        exchanges++;
        return Promise.resolve(Uint8Array.of(0x04, 0x00, 0x04));
      },
      resync: () => Promise.resolve({ late: undefined, unreadable: false }),
      onFrame: () => () => undefined,
      onStray: () => () => undefined,
      onClose: () => () => undefined,
      close: () => Promise.resolve(),
    };
    await failsWith("MODULE_REFUSED", SakuraModule.over(exchange).getSignalQuality());
    expect(exchanges).toBe(1);
  });

  it("of an earlier line does not have a command done twice: what cannot be read may have been its answer", async () => {
    const { clock, scripted, module } = await clientOf(() => "ERROR\r\n*CMD:010009\r\nOK\r\n");
    await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.txEnqueue(VALUE)));
    expect(scripted.commands).toEqual([ENQUEUE]);
  });

  it("of an earlier line gives way to the answer behind it", async () => {
    const { clock, scripted, module } = await clientOf(() => `ERROR\r\n${OK_ANSWER}`);
    await inTime(clock, module.txEnqueue(VALUE));
    expect(scripted.commands).toEqual([ENQUEUE]);
  });
});

describe("no good answer", () => {
  const damaged = [
    ["lost", undefined],
    ["with a wrong parity", "*CMD:01010504\r\nOK\r\n"],
    ["with a wrong size", "*CMD:010105\r\nOK\r\n"],
    ["that is no answer any more", "*CND:01010505\r\nOK\r\n"],
    ["of noise", "\xff\x80~~\r\nOK\r\n"],
  ] as const;

  it.each(damaged)("%s, is asked for again where that is safe", async (_what, answer) => {
    const { clock, scripted, module } = await clientOf(inTurn(answer, SIGNAL_ANSWER));
    expect(await inTime(clock, module.getSignalQuality())).toBe(5);
    expect(scripted.lines).toEqual([SIGNAL, "", "PING", SIGNAL]);
  });

  it.each(damaged)("%s, leaves the outcome unknown where it must not be repeated", async (what, answer) => {
    const { clock, scripted, module } = await clientOf(inTurn(answer, OK_ANSWER));
    const error = await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.txEnqueue(VALUE)));
    expect(error.message).toMatch(/^TX_ENQUEUE may or may not have been carried out/);
    expect(error.context).toMatchObject({ command: "TX_ENQUEUE" });
    expect(error.cause).toMatchObject({ code: what === "lost" ? "NO_ANSWER" : "DAMAGED_ANSWER" });
    expect(scripted.commands).toEqual([ENQUEUE]);
  });

  it("is asked for again four times, and no more", async () => {
    const { clock, scripted, module } = await clientOf(() => "*CMD:01010504\r\nOK\r\n");
    await inTime(clock, failsWith("DAMAGED_ANSWER", module.getSignalQuality()));
    expect(scripted.commands).toHaveLength(5);
    scripted.script = () => undefined;
    await inTime(clock, failsWith("NO_ANSWER", module.getSignalQuality({ retries: 1 })));
    expect(scripted.commands).toHaveLength(7);
  });

  it("from a module that has fallen silent ends after so many timeouts", async () => {
    const { clock, scripted, module } = await clientOf(() => undefined);
    scripted.ping = () => undefined;
    const before = clock.now();
    await inTime(clock, failsWith("NO_ANSWER", module.getSignalQuality()));
    expect(clock.now() - before).toBeLessThan(5500);
    // Nothing is asked of it before it reacts.
    expect(scripted.commands).toEqual([SIGNAL]);
    await inTime(clock, failsWith("NO_ANSWER", module.txEnqueue(VALUE)));
    expect(scripted.commands).toEqual([SIGNAL]);
    scripted.ping = echoed;
    scripted.script = () => OK_ANSWER;
    await inTime(clock, module.txEnqueue(VALUE));
  });

  it("in time is still taken when it comes late", async () => {
    const { clock, scripted, module } = await clientOf();
    const enqueued = module.txEnqueue(VALUE);
    const signal = module.getSignalQuality();
    await clock.advance(1060);
    scripted.say(OK_ANSWER);
    await inTime(clock, enqueued);
    scripted.script = () => SIGNAL_ANSWER;
    expect(await inTime(clock, signal)).toBe(5);
    expect(scripted.commands).toEqual([ENQUEUE, SIGNAL, ...(scripted.commands.length > 2 ? [SIGNAL] : [])]);
  });

  it("of the command before is not taken for the next one's", async () => {
    const { clock, scripted, module } = await clientOf();
    const cleared = inTime(clock, failsWith("OUTCOME_UNKNOWN", module.rxDequeue()));
    scripted.ping = () => undefined;
    await cleared;
    // The dequeued value arrives at last, and then the echoes that were asked for meanwhile.
    const late = "*CMD:011201691900000000000000000000000000000062\r\nOK\r\n";
    scripted.script = () => SIGNAL_ANSWER;
    scripted.ping = (line) => `${late}${echoed(line)}`;
    expect(await inTime(clock, module.getSignalQuality())).toBe(5);
  });

  it("of a command that was given up is not taken for one that could not be sent yet", async () => {
    const { clock, scripted, module } = await clientOf();
    scripted.ping = () => undefined;
    const abort = new AbortController();
    const cleared = failsWith("ABORTED", module.txClear({ signal: abort.signal }));
    await clock.advance(10);
    abort.abort();
    await cleared;
    const enqueued = module.txEnqueue(VALUE);
    // One try to get in step has failed by then.
    await clock.advance(1200);
    expect(scripted.commands).toEqual(["AT*CMD=230023"]);
    scripted.ping = echoed;
    scripted.script = () => OK_ANSWER;
    scripted.say(OK_ANSWER);
    await inTime(clock, enqueued);
    expect(scripted.commands).toEqual(["AT*CMD=230023", ENQUEUE]);
  });

  it("is not asked for on another port, where the command would be done twice", async () => {
    const clock = new VirtualClock();
    const sent: string[] = [];
    const lost = new SakuraError("PORT_LOST", "the cable was pulled");
    const port = (name: string, exchange: (lose: () => void) => Promise<Uint8Array>): FrameExchange => {
      let lose = (): void => undefined;
      return {
        name,
        noisy: true,
        suspect: false,
        exchange: () => {
          sent.push(name);
          return exchange(lose);
        },
        resync: () => Promise.reject(lost),
        onFrame: () => () => undefined,
        onStray: () => () => undefined,
        onClose: (listener) => {
          lose = () => listener(lost);
          return () => undefined;
        },
        close: () => Promise.resolve(),
      };
    };
    const first = port("first", (lose) => {
      lose();
      return Promise.reject(new SakuraError("NO_ANSWER", "nothing came"));
    });
    const second = port("second", () => Promise.resolve(Uint8Array.of(0x01, 0x00, 0x01)));
    const connection = new Connection(first, { clock, reopen: () => Promise.resolve(second) });
    const queue = new CommandQueue(connection, { clock, timeoutMs: 1000, retries: 4 });
    const command = {
      name: "TX_SEND",
      repeat: "once",
      request: Uint8Array.of(0x24, 0x00, 0x24),
      decode: () => 1,
    } as const;
    await inTime(clock, failsWith("OUTCOME_UNKNOWN", queue.run(command)));
    await inTime(clock, queue.run(command));
    expect(sent).toEqual(["first", "second"]);
    await connection.close();
  });

  const WRONG_PAYLOAD = "*CMD:0102030404\r\nOK\r\n";

  it("with a payload that the command does not answer is asked for again, with the line in step", async () => {
    const { clock, scripted, module } = await clientOf(inTurn(WRONG_PAYLOAD, SIGNAL_ANSWER));
    expect(await inTime(clock, module.getSignalQuality())).toBe(5);
    expect(scripted.lines).toEqual([SIGNAL, "", "PING", SIGNAL]);
  });

  it("with such a payload three times is said", async () => {
    const { clock, scripted, module } = await clientOf(() => WRONG_PAYLOAD);
    await failsWith("INVALID_PAYLOAD", inTime(clock, module.getSignalQuality()));
    expect(scripted.lines).toEqual([SIGNAL, "", "PING", SIGNAL, "", "PING", SIGNAL]);
  });

  it("with such a payload leaves open what became of a command that must not be repeated", async () => {
    const { clock, scripted, module } = await clientOf(() => WRONG_PAYLOAD);
    const { cause } = await failsWith("OUTCOME_UNKNOWN", inTime(clock, module.txSend()));
    expect(cause).toMatchObject({ code: "INVALID_PAYLOAD" });
    expect(scripted.lines.filter((line) => line !== "" && line !== "PING")).toHaveLength(1);
  });
});

describe("the signal", () => {
  it("takes a command out of the queue at once", async () => {
    const { clock, scripted, module } = await clientOf();
    const first = module.getSignalQuality();
    const abort = new AbortController();
    const second = failsWith("ABORTED", module.txEnqueue(VALUE, { signal: abort.signal }));
    const third = module.txClear();
    abort.abort(new Error("enough"));
    const error = await second;
    expect(error.context).toEqual({ command: "TX_ENQUEUE" });
    expect(error.cause).toMatchObject({ message: "enough" });
    await clock.advance(0);
    scripted.say(SIGNAL_ANSWER);
    await first;
    await clock.advance(0);
    scripted.say(OK_ANSWER);
    await third;
    expect(scripted.commands).toEqual([SIGNAL, "AT*CMD=230023"]);
  });

  it("that is aborted already keeps it out", async () => {
    const { scripted, module } = await clientOf(() => OK_ANSWER);
    await failsWith("ABORTED", module.txClear({ signal: AbortSignal.abort() }));
    expect(scripted.lines).toEqual([]);
  });

  it.each([
    ["once", "unknown"],
    ["safe", undefined],
  ])("ends a command under way; the outcome of one that is %s is %s", async (repeat, outcome) => {
    const { clock, scripted, module } = await clientOf();
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const given = failsWith("ABORTED", repeat === "once" ? module.txEnqueue(VALUE, options) : module.txClear(options));
    await clock.advance(10);
    abort.abort();
    expect((await given).context["outcome"]).toBe(outcome);
    // The answer that comes now must not be the next command's.
    const next = module.getSignalQuality();
    await clock.advance(1);
    scripted.say(OK_ANSWER);
    scripted.script = () => SIGNAL_ANSWER;
    expect(await inTime(clock, next)).toBe(5);
  });

  it("ends the waits for a busy module and for one in step", async () => {
    const { clock, scripted, module } = await clientOf(() => BUSY_ANSWER);
    const abort = new AbortController();
    const busy = failsWith("ABORTED", module.txSend({ signal: abort.signal }));
    await clock.advance(5);
    abort.abort();
    // It was refused, so nothing has been done.
    expect((await busy).context["outcome"]).toBeUndefined();

    scripted.script = () => undefined;
    scripted.ping = () => undefined;
    const again = new AbortController();
    const safe = failsWith("ABORTED", module.txClear({ signal: again.signal }));
    await clock.advance(1300);
    again.abort();
    await safe;
  });
});

describe("the end of the port", () => {
  it("rejects everything with CLOSED, and says of one under way that nobody knows", async () => {
    const { clock, module } = await clientOf();
    const all = [
      failsWith("CLOSED", module.txEnqueue(VALUE)),
      failsWith("CLOSED", module.getSignalQuality()),
      failsWith("CLOSED", module.txClear()),
    ];
    await clock.advance(10);
    await module.close();
    const [underWay, waiting] = await Promise.all(all);
    expect(underWay?.context).toMatchObject({ command: "TX_ENQUEUE", outcome: "unknown" });
    expect(waiting?.context["outcome"]).toBeUndefined();
    await failsWith("CLOSED", module.getSignalQuality());
    await module.close();
    expect(module.state).toEqual({ kind: "closed" });
    expect(clock.pending).toBe(0);
  });

  it("by close ends a wait for a busy module too", async () => {
    const { clock, module } = await clientOf(() => BUSY_ANSWER);
    const busy = failsWith("CLOSED", module.txSend());
    await clock.advance(5);
    await module.close();
    await busy;
    expect(clock.pending).toBe(0);
  });

  it("by loss is PORT_LOST, and OUTCOME_UNKNOWN for what must not be repeated", async () => {
    const { clock, scripted, module } = await clientOf();
    const states: string[] = [];
    module.onState((state) => states.push(state.kind));
    const underWay = failsWith("OUTCOME_UNKNOWN", module.txEnqueue(VALUE));
    const waiting = failsWith("PORT_LOST", module.txEnqueue(VALUE));
    await clock.advance(10);
    scripted.lose();
    expect((await underWay).cause).toMatchObject({ code: "PORT_LOST" });
    await waiting;
    await failsWith("PORT_LOST", module.getSignalQuality());
    expect(module.state).toMatchObject({ kind: "lost", nextAttempt: undefined });
    expect(states).toEqual(["lost"]);
    await module.close();
    expect(states).toEqual(["lost", "closed"]);
  });

  it("by loss, under a command that may be repeated, is PORT_LOST", async () => {
    const { clock, scripted, module } = await clientOf();
    const underWay = failsWith("PORT_LOST", module.getSignalQuality());
    await clock.advance(10);
    scripted.lose();
    await underWay;
  });

  it("while it is found out whether an answer was only late leaves the outcome unknown", async () => {
    const { clock, scripted, module } = await clientOf();
    scripted.ping = () => undefined;
    const underWay = failsWith("OUTCOME_UNKNOWN", module.txEnqueue(VALUE));
    await clock.advance(1200);
    scripted.lose();
    expect((await underWay).cause).toMatchObject({ code: "PORT_LOST" });
  });
});

describe("limits", () => {
  it.each([{ timeoutMs: 0 }, { timeoutMs: 600_001 }, { timeoutMs: Number.NaN }, { retries: -1 }, { retries: 1.5 }])(
    "%j is refused",
    async (options) => {
      const { scripted, module, uart } = await clientOf();
      await failsWith("INVALID_ARGUMENT", module.getSignalQuality(options));
      expect(scripted.lines).toEqual([]);
      expect(() => SakuraModule.over(uart, options)).toThrow(SakuraError);
    },
  );

  it("a value outside its range is refused before anything is sent", async () => {
    const { scripted, module } = await clientOf();
    await failsWith("INVALID_ARGUMENT", module.txEnqueue({ channel: 128, type: "i", value: 1 }));
    await failsWith("INVALID_ARGUMENT", module.raw(256));
    await failsWith("INVALID_ARGUMENT", module.raw(0x0f, new Uint8Array(256)));
    expect(scripted.lines).toEqual([]);
  });
});

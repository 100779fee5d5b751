/** The feed at an emulated module, in virtual time, and over TCP where the line has to go. */
import { describe, expect, it } from "vitest";
import { refuse } from "../../../emulator/behaviour.ts";
import { listenTcp } from "../../../emulator/bus/tcp.ts";
import { attachUart } from "../../../emulator/bus/uart.ts";
import { VirtualClock } from "../../../emulator/clock.ts";
import { EmulatedModule } from "../../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../../emulator/state.ts";
import { MessageLog } from "../../../emulator/uplink.ts";
import { type FeedEvent, type FeedOptions, feed } from "../../../host/feed/feed.ts";
import type { FeedRound, FeedSource } from "../../../host/feed/round.ts";
import { SakuraModule } from "../../../host/module.ts";
import { UartExchange } from "../../../host/transport/uart.ts";
import type { ByteDuplex } from "../../../protocol/bus.ts";
import { inTime } from "../../support/client.ts";
import { failsWith } from "../../support/errors.ts";
import { linePair } from "../../support/scripted-module.ts";

const START = Date.UTC(2018, 5, 21, 1, 10, 57, 0);

/** An emulated module on a line whose answers can be lost, and its client. */
async function bench(options: EmulatedModuleOptions = {}) {
  const clock = new VirtualClock(START - 25);
  const log = new MessageLog(clock);
  const emulated = new EmulatedModule({ clock, uplink: log, sendTimeMs: 0, ...options });
  const { host, module: end } = linePair();
  const line = { deaf: false };
  const lossy: ByteDuplex = {
    name: end.name,
    write: (bytes) => {
      if (!line.deaf) end.write(bytes);
    },
    onBytes: (listener) =>
      end.onBytes((bytes) => {
        line.deaf = false;
        listener(bytes);
      }),
    onClose: (listener) => end.onClose(listener),
    close: () => end.close(),
  };
  attachUart(emulated, lossy);
  const opening = UartExchange.open(host, { clock });
  await clock.advance(25);
  const module = SakuraModule.over(await opening, { clock });
  const events: FeedEvent[] = [];
  const run = (source: FeedSource, more: FeedOptions = {}) =>
    feed(module, source, { clock, receive: false, onEvent: (event) => events.push(event), ...more });
  return { clock, emulated, log, line, module, events, run };
}

/** `01:10:57.000 0=1 1=2` for each message: the time of its first value, and channels with their values. */
function sentBy(log: MessageLog): string[] {
  return log.messages.flatMap((message) =>
    message.type === "channels"
      ? [
          `${message.payload.channels[0]?.datetime.slice(11, -1)} ` +
            message.payload.channels.map(({ channel, value }) => `${channel}=${value}`).join(" "),
        ]
      : [],
  );
}

const one = (value: number): FeedRound => ({ values: [{ channel: 1, type: "i", value }] });
const counted = (to: number): FeedRound[] => Array.from({ length: to }, (_, i) => one(i + 1));

const all = { waiting: 0, inModule: 0, unknown: 0, dropped: 0, received: 0 };

describe("a feed", () => {
  it("sends a round at a time, at its pace", async () => {
    const { clock, log, run, events } = await bench();
    const summary = await inTime(clock, run(counted(3), { everyMs: 2000 }), 1);
    expect(summary).toEqual({ ...all, rounds: 3, sent: 3 });
    expect(sentBy(log)).toEqual(["01:10:57.000 1=1", "01:10:59.000 1=2", "01:11:01.000 1=3"]);
    expect(events.map(({ kind }) => kind)).toEqual(["round", "sent", "round", "sent", "round", "sent"]);
  });

  it("takes as many rounds as it is told, of a source without an end too", async () => {
    const { clock, log, run } = await bench();
    let ended = false;
    async function* endless(): AsyncGenerator<FeedRound> {
      try {
        for (let i = 1; ; i++) yield one(i);
      } finally {
        ended = true;
      }
    }
    expect(await inTime(clock, run(endless(), { rounds: 2 }))).toMatchObject({ rounds: 2, sent: 2 });
    expect(sentBy(log)).toHaveLength(2);
    expect(ended).toBe(true);
  });

  it("sends a full queue to make room, and no value twice", async () => {
    const { clock, log, run } = await bench({ txQueue: 4 });
    const values = Array.from({ length: 10 }, (_, channel) => ({ channel, type: "i", value: channel }) as const);
    expect(await inTime(clock, run([{ values }]))).toEqual({ ...all, rounds: 1, sent: 10 });
    expect(sentBy(log).map((text) => text.split(" ").slice(1).join(" "))).toEqual([
      "0=0 1=1 2=2 3=3",
      "4=4 5=5 6=6 7=7",
      "8=8 9=9",
    ]);
  });

  it("holds what cannot be sent offline, and sends it with its age when it can", async () => {
    const { clock, emulated, log, run, events } = await bench({ txQueue: 2, online: false });
    clock.after(4500, () => emulated.setOnline(true));
    expect(await inTime(clock, run(counted(6)), 1)).toEqual({ ...all, rounds: 6, sent: 6 });
    // Two in the module's queue, with the time at which they were enqueued; the others held here, then sent with an offset.
    expect(sentBy(log).map((text) => text.slice(3))).toEqual([
      "10:57.000 1=1 1=2",
      "10:59.000 1=3 1=4",
      "11:01.000 1=5 1=6",
    ]);
    const troubles = events.flatMap((event) => (event.kind === "trouble" ? [event] : []));
    expect(troubles.map(({ error, waiting }) => [error.code, waiting])).toEqual([
      ["MODULE_REFUSED", 1],
      ["MODULE_REFUSED", 2],
      ["MODULE_REFUSED", 3],
      ["MODULE_REFUSED", 4],
      ["MODULE_REFUSED", 5],
    ]);
  });

  it("says what is left when it never can", async () => {
    const { clock, run } = await bench({ txQueue: 2, online: false });
    expect(await inTime(clock, run(counted(3)))).toEqual({ ...all, rounds: 3, sent: 0, waiting: 3, inModule: 2 });
  });

  it("takes a round as long as a file, and gives up the oldest of what it cannot hold", async () => {
    const { clock, run } = await bench({ txQueue: 2, online: false });
    const values = Array.from({ length: 200_000 }, (_, value) => ({ channel: 1, type: "i", value }) as const);
    const summary = await inTime(clock, run([{ values }]));
    expect(summary).toEqual({ ...all, rounds: 1, sent: 0, waiting: 10_002, inModule: 2, dropped: 189_998 });
  });

  it("knows a value as enqueued whose answer was lost, and one as not that never came", async () => {
    const { clock, emulated, log, line, run } = await bench();
    let times = 0;
    emulated.override("TX_ENQUEUE", (_request, next) => {
      times++;
      // The second is carried out and its answer lost; of the fourth, the answer is lost and it never was.
      if (times === 2 || times === 4) line.deaf = true;
      return times === 4 ? undefined : next();
    });
    expect(await inTime(clock, run(counted(4)))).toEqual({ ...all, rounds: 4, sent: 4 });
    expect(sentBy(log).map((text) => text.split(" ").slice(1).join(" "))).toEqual(["1=1", "1=2", "1=3", "1=4"]);
    expect(times).toBe(5);
  });

  it("sends what somebody else had enqueued along, and does not take it for its own", async () => {
    const { clock, emulated, log, module, run } = await bench();
    await inTime(clock, module.txEnqueue({ channel: 9, type: "i", value: 9 }));
    emulated.setOnline(false);
    clock.after(1500, () => emulated.setOnline(true));
    expect(await inTime(clock, run(counted(2)))).toEqual({ ...all, rounds: 2, sent: 2 });
    expect(sentBy(log).map((text) => text.split(" ").slice(1).join(" "))).toEqual(["9=9 1=1 1=2"]);
  });

  it("keeps the times of rows that are sent late", async () => {
    const { clock, log, run } = await bench({ sendTimeMs: 700 });
    const rows = [0, 100, 5000].map((atMs, i) => ({ ...one(i + 1), atMs }));
    expect(await inTime(clock, run(rows), 1)).toMatchObject({ sent: 3 });
    expect(sentBy(log)).toEqual(["01:10:57.000 1=1", "01:10:57.100 1=2", "01:11:02.000 1=3"]);
  });

  it("takes what comes down, and leaves it where it is told to", async () => {
    const { clock, emulated, run, events } = await bench();
    const channels = [{ channel: 10, type: "I", value: 1 }] as const;
    const deliver = () => emulated.deliver({ type: "channels", module: emulated.id, payload: { channels } });
    clock.after(1500, deliver);
    expect(await inTime(clock, run(counted(3), { receive: true }))).toMatchObject({ received: 1 });
    expect(events).toContainEqual({
      kind: "received",
      value: { channel: 10, type: "I", value: 1, offset: expect.any(BigInt) },
    });
    deliver();
    expect(await inTime(clock, run(counted(3)))).toMatchObject({ received: 0 });
    expect(emulated.state.rxQueue).toHaveLength(1);
  });

  it("ends after the round under way when it is stopped", async () => {
    const { clock, emulated, log, run } = await bench({ sendTimeMs: 700 });
    const stop = new AbortController();
    emulated.override("TX_SEND", (_request, next) => {
      stop.abort();
      return next();
    });
    expect(await inTime(clock, run(counted(3), { signal: stop.signal }))).toEqual({ ...all, rounds: 1, sent: 1 });
    expect(sentBy(log)).toHaveLength(1);
  });

  it("does not know of a value whose module fell silent while it was enqueued, when it is stopped then", async () => {
    const { clock, emulated, line, run } = await bench();
    const stop = new AbortController();
    emulated.override("TX_ENQUEUE", (_request, next) => {
      stop.abort();
      line.deaf = true;
      emulated.override("ECHO_BACK", (_echo, echo) => {
        line.deaf = true;
        return echo();
      });
      emulated.override("TX_STAT", (_stat, stat) => {
        line.deaf = true;
        return stat();
      });
      return next();
    });
    expect(await inTime(clock, run(counted(3), { signal: stop.signal }))).toEqual({
      ...all,
      rounds: 1,
      sent: 0,
      unknown: 1,
    });
  });

  it("does not wait for a source that gives nothing when it is stopped", async () => {
    const { clock, run } = await bench();
    const stop = new AbortController();
    async function* silent(): AsyncGenerator<FeedRound> {
      await new Promise(() => undefined);
      yield one(1);
    }
    clock.after(50, () => stop.abort());
    expect(await inTime(clock, run(silent(), { signal: stop.signal }))).toEqual({ ...all, rounds: 0, sent: 0 });
  });

  it("fails at what does not pass", async () => {
    const { clock, emulated, run, module } = await bench();
    const undo = emulated.override("TX_ENQUEUE", () => refuse("INVALID_SYNTAX"));
    expect((await failsWith("MODULE_REFUSED", inTime(clock, run(counted(3))))).context).toMatchObject({
      status: "INVALID_SYNTAX",
    });
    undo();
    await failsWith("INVALID_ARGUMENT", run(counted(1), { everyMs: -1 }));
    await module.close();
    await failsWith("CLOSED", run(counted(1)));
  });

  it("fails at once where nothing answers", async () => {
    const { clock, emulated, run } = await bench();
    emulated.override("TX_LENGTH", () => refuse("LOCKED"));
    await failsWith("MODULE_REFUSED", inTime(clock, run(counted(3))));
  });
});

describe("a feed whose cable is pulled", () => {
  it.each([
    ["goes on where it was when the module kept its queue", false, { sent: 4, unknown: 0 }],
    ["says of which values it does not know when the module lost its power", true, { sent: 3, unknown: 1 }],
  ])("%s", async (_what, restarted, counts) => {
    const log = new MessageLog();
    const emulated = new EmulatedModule({ uplink: log, sendTimeMs: 0, bootTimeMs: 0, online: false });
    let endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
    const attach = () => endpoint.onConnection((duplex) => attachUart(emulated, duplex));
    attach();
    const module = await SakuraModule.open(endpoint.uri, { reopen: true });
    const events: FeedEvent[] = [];
    let back = (): void => undefined;
    const again = new Promise<void>((resolve) => {
      back = resolve;
    });
    async function* rounds(): AsyncGenerator<FeedRound> {
      yield one(1);
      // Offline, so the first is in the module's queue now.
      const port = Number(endpoint.uri.split(":").at(-1));
      await endpoint.close();
      if (restarted) emulated.restart();
      emulated.setOnline(true);
      endpoint = await listenTcp({ host: "127.0.0.1", port });
      attach();
      await again;
      for (let i = 2; i <= 4; i++) yield one(i);
    }
    const forget = module.onState(({ kind }) => {
      if (kind === "open") back();
    });
    const summary = await feed(module, rounds(), {
      everyMs: 10,
      receive: false,
      onEvent: (event) => events.push(event),
    });
    forget();
    expect(summary).toEqual({ ...all, rounds: 4, ...counts });
    const values = log.messages.flatMap((message) => (message.type === "channels" ? message.payload.channels : []));
    expect(values.map(({ value }) => value)).toEqual(restarted ? [2, 3, 4] : [1, 2, 3, 4]);
    await module.close();
    await endpoint.close();
  });
});

import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import {
  Bridge,
  type BridgeEvent,
  type DownlinkBounds,
  MemoryOutbox,
  type OutboxLane,
  type OutboxState,
  type Service,
  type ServiceEvents,
  type ServiceState,
} from "../../host/bridge/index.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { parseDownlink } from "../../protocol/message.ts";
import { failsWith } from "../support/errors.ts";
import { settled } from "../support/held-uplink.ts";
import { channelMessage, FakeLink } from "./support.ts";

/** 2017-04-01T04:51:10Z */
const START = 1_491_022_270_000;

class FakeService implements Service {
  readonly name: string;
  closedWith: number | undefined;
  retries = 0;
  events: ServiceEvents | undefined;

  constructor(name: string) {
    this.name = name;
  }

  start(events: ServiceEvents): void {
    this.events = events;
  }
  state(): ServiceState {
    return { state: "connecting", since: START };
  }
  onState(): () => void {
    return () => undefined;
  }
  retry(): void {
    this.retries++;
  }
  close(drainMs: number): Promise<void> {
    this.closedWith = drainMs;
    return Promise.resolve();
  }
  readonly told: string[] = [];
  tell(topic: string, payload: Uint8Array): void {
    this.told.push(`${topic} ${Buffer.from(payload).toString()}`);
  }
  down(text: string): void {
    this.events?.onDownlink(Buffer.from(text));
  }
}

function desk({
  maxBytes = 100_000,
  outbox = new MemoryOutbox(maxBytes),
  downlinks,
  lookMs,
}: {
  readonly maxBytes?: number;
  readonly outbox?: MemoryOutbox;
  readonly downlinks?: DownlinkBounds;
  readonly lookMs?: number;
} = {}) {
  const clock = new VirtualClock(START);
  const u1 = new FakeLink("u1");
  const u2 = new FakeLink("u2");
  const all = new FakeService("all");
  const one = new FakeService("one");
  const bridge = new Bridge({
    links: [u1, u2],
    services: [
      { name: "all", create: () => all },
      { name: "one", modules: ["u1"], resultTopic: "result", create: () => one },
    ],
    outbox,
    clock,
    downlinks,
    lookMs,
  });
  const events: BridgeEvent[] = [];
  bridge.onEvent((event) => events.push(event));
  bridge.start();
  const of = <T extends BridgeEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<BridgeEvent, { type: T }> => event.type === type);
  const waiting = (name: string): string[] => {
    const texts: string[] = [];
    const lane = outbox.lane(name);
    for (let next = lane.next(); next; next = lane.next()) texts.push(Buffer.from(next.payload).toString());
    return texts;
  };
  return { bridge, clock, u1, u2, all, one, events, of, waiting };
}

const refusal = (reason: string) => new SakuraError("REFUSED", `not now: ${reason}`, { context: { reason } });
const down = (module: string, value: number): string =>
  `{"type":"channels","module":"${module}","payload":{"channels":[{"channel":1,"type":"i","value":${value}}]}}`;

describe("a message on its way up", () => {
  it("goes to the services of its module, the same bytes, with the time at which it was taken", async () => {
    const { u1, u2, clock, waiting, of } = desk();
    await u1.send(1);
    await clock.advance(1_234);
    await u2.send(2);
    const first =
      '{"module":"u1","type":"channels","datetime":"2017-04-01T04:51:10.000Z","payload":{"channels":[{"channel":0,"type":"i","value":1,"datetime":"2018-06-21T01:10:57.770Z"}]}}';
    const second =
      '{"module":"u2","type":"channels","datetime":"2017-04-01T04:51:11.234Z","payload":{"channels":[{"channel":0,"type":"i","value":2,"datetime":"2018-06-21T01:10:57.770Z"}]}}';
    expect(waiting("all")).toEqual([first, second]);
    expect(waiting("one")).toEqual([first]);
    expect(of("message").map(({ services }) => services)).toEqual([["all", "one"], ["all"]]);
  });

  it("carries its link's id, whatever it says", async () => {
    const { u1, waiting } = desk();
    await u1.take(channelMessage("u2", 1));
    expect(waiting("one")).toEqual([expect.stringContaining('"module":"u1"')]);
  });

  it("is refused by every service when one has no room, and the module is told", async () => {
    // Room for one message, of 163 bytes and 128 more.
    const { u1, u2, waiting, of, bridge } = desk({ maxBytes: 300 });
    await u2.send(1);
    const error = await failsWith("REFUSED", u1.send(2));
    expect(error.context).toEqual({ reason: "outbox-full", module: "u1" });
    expect(waiting("all")).toHaveLength(1);
    expect(waiting("one")).toEqual([]);
    expect(of("message-refused")).toMatchObject([{ module: "u1", reason: "outbox-full" }]);
    expect(bridge.stats().uplink).toEqual({ accepted: 1, refused: 1, unrouted: 0, nonFinite: 0 });
  });

  it("is refused when the outbox fails, and the next is taken", async () => {
    const memory = new MemoryOutbox(100_000);
    let broken = true;
    const append = memory.append.bind(memory);
    memory.append = (...given) =>
      broken ? Promise.reject(new SakuraError("PORT_FAILED", "disk full")) : append(...given);
    const { u1, waiting } = desk({ outbox: memory });
    expect((await failsWith("REFUSED", u1.send(1))).context).toMatchObject({ reason: "outbox-failed" });
    broken = false;
    await u1.send(2);
    expect(waiting("all")).toHaveLength(1);
  });

  it("counts values that JSON cannot hold", async () => {
    const { u1, waiting, bridge } = desk();
    const datetime = "2018-06-21T01:10:57.770Z";
    await u1.take({
      module: "u1",
      type: "channels",
      payload: {
        channels: [
          { channel: 0, type: "d", value: Number.NaN, datetime },
          { channel: 1, type: "d", value: 0.5, datetime },
          { channel: 2, type: "f", value: Number.POSITIVE_INFINITY, datetime },
        ],
      },
    });
    expect(waiting("all")[0]).toContain('"value":null');
    expect(bridge.stats().uplink.nonFinite).toBe(2);
  });

  it("is too large past 128 KB", async () => {
    const { u1 } = desk({ maxBytes: 10_000_000 });
    const { context } = await failsWith(
      "REFUSED",
      u1.take({
        module: "u1",
        type: "channels",
        payload: { channels: [{ channel: 0, type: "i", value: 1, datetime: "2".repeat(131_072) }] },
      }),
    );
    expect(context).toMatchObject({ reason: "too-large" });
  });

  it("is accepted and counted when no service is for its module", async () => {
    const clock = new VirtualClock(START);
    const outbox = new MemoryOutbox(1_000);
    const u2 = new FakeLink("u2");
    const service = { name: "one", modules: ["u1"], create: () => new FakeService("one") };
    const bridge = new Bridge({ links: [u2], services: [service], outbox, clock });
    bridge.start();
    await u2.send(1);
    expect(bridge.stats().uplink).toEqual({ accepted: 1, refused: 0, unrouted: 1, nonFinite: 0 });
  });
});

describe("a message on its way down", () => {
  it("goes to the module that it names, in order", async () => {
    const { all, u1, u2, of, bridge } = desk();
    all.down(down("u1", 1));
    all.down(down("u2", 2));
    all.down(down("u1", 3));
    await settled();
    const valuesOf = (link: FakeLink) =>
      link.delivered.flatMap(({ payload }) => payload.channels.map(({ value }) => value));
    expect(valuesOf(u1)).toEqual([1, 3]);
    expect(valuesOf(u2)).toEqual([2]);
    expect(of("downlink").map(({ accepted }) => accepted)).toEqual([true, true, true]);
    expect(bridge.stats().downlink).toEqual({ accepted: 3, refused: 0, waiting: 0, refusals: {} });
  });

  it.each([
    ["no JSON", "invalid-message", /not JSON/],
    ['{"type":"channels"}', "invalid-message", /^module: /],
    [
      '{"type":"channels","module":"u1","payload":{"channels":[{"channel":1,"type":"i","value":2147483648}]}}',
      "invalid-message",
      /^payload\.channels\[0\]\.value: /,
    ],
    [down("u9", 1), "unknown-module", /no module u9 in service one/],
    [down("u2", 1), "unknown-module", /no module u2 in service one/],
    ["\xff\xfe", "invalid-message", /not JSON/],
  ])("is refused with the reason: %s", async (text, reason, words) => {
    const { one, of, u1, bridge } = desk();
    one.down(text);
    one.down(down("u1", 7));
    await settled();
    const [refused, next] = of("downlink");
    expect(refused).toMatchObject({ service: "one", accepted: false, reason, message: expect.stringMatching(words) });
    expect(next).toMatchObject({ accepted: true });
    expect(u1.delivered).toHaveLength(1);
    expect(bridge.stats().downlink).toEqual({ accepted: 1, refused: 1, waiting: 0, refusals: { [reason]: 1 } });
  });

  it("is refused with the link's own reason", async () => {
    const { all, u1, of } = desk();
    u1.accept = () =>
      Promise.reject(new SakuraError("REFUSED", "the RX queue is full", { context: { reason: "rx-queue-full" } }));
    all.down(down("u1", 1));
    await settled();
    u1.accept = () => Promise.reject(new Error("a defect"));
    all.down(down("u1", 1));
    await settled();
    expect(of("downlink")).toMatchObject([
      { accepted: false, module: "u1", reason: "rx-queue-full", message: "the RX queue is full" },
      { accepted: false, module: "u1", reason: "failed", message: "a defect" },
    ]);
  });

  it("waits for the one before it, and for no other link", async () => {
    const { all, u1, u2 } = desk();
    let take = (): void => undefined;
    u1.accept = () => new Promise((resolve) => (take = resolve));
    all.down(down("u1", 1));
    all.down(down("u1", 2));
    all.down(down("u2", 3));
    await settled();
    expect([u1.delivered.length, u2.delivered.length]).toEqual([0, 1]);
    take();
    await settled();
    expect(u1.delivered).toHaveLength(1);
    take();
    await settled();
    expect(u1.delivered).toHaveLength(2);
  });

  it("is given up when the link does not take it in 30 s, and the next has its turn", async () => {
    const { all, u1, of, clock } = desk();
    let signal: AbortSignal | undefined;
    u1.accept = (_message, given) => {
      signal = given;
      return new Promise(() => undefined);
    };
    all.down(down("u1", 1));
    await settled();
    u1.accept = () => Promise.resolve();
    all.down(down("u1", 2));
    await clock.advance(30_000);
    expect(signal?.aborted).toBe(true);
    expect(of("downlink")).toMatchObject([{ accepted: false, reason: "timeout" }, { accepted: true }]);
    expect(clock.pending).toBe(0);
  });

  it("has room again behind those that were delivered", async () => {
    const { all, u1, of } = desk();
    for (let value = 0; value < 250; value++) {
      all.down(down("u1", value));
      await settled();
    }
    expect(u1.delivered).toHaveLength(250);
    expect(of("downlink").every(({ accepted }) => accepted)).toBe(true);
  });

  it("is refused when a hundred wait already", async () => {
    const { all, u1, of } = desk();
    u1.accept = () => new Promise(() => undefined);
    for (let value = 0; value < 101; value++) all.down(down("u1", value));
    await settled();
    expect(of("downlink")).toMatchObject([{ accepted: false, reason: "link-busy" }]);
  });
});

describe("a message for a link that is down", () => {
  const valuesOf = (link: FakeLink) =>
    link.delivered.flatMap(({ payload }) => payload.channels.map(({ value }) => value));

  it("waits, and is delivered in order when the link is up again", async () => {
    const { all, u1, u2, of, bridge, clock } = desk();
    u1.goDown();
    for (const value of [1, 2, 3]) all.down(down("u1", value));
    all.down(down("u2", 4));
    await settled();
    expect(valuesOf(u2)).toEqual([4]);
    expect(bridge.stats().downlink).toEqual({ accepted: 1, refused: 0, waiting: 3, refusals: {} });
    expect(
      bridge.waitingDownlinks().map(({ service, since, until, message }) => [service, since, until, message.module]),
    ).toEqual(Array(3).fill(["all", START, START + 600_000, "u1"]));
    await clock.advance(599_999);
    u1.goUp();
    await settled();
    expect(valuesOf(u1)).toEqual([1, 2, 3]);
    expect(bridge.waitingDownlinks()).toEqual([]);
    expect(of("downlink").every(({ accepted }) => accepted)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("waits for a module that is offline, which is asked again and again", async () => {
    const { all, u1, clock } = desk();
    let tries = 0;
    u1.accept = () => {
      tries++;
      return Promise.reject(refusal("offline"));
    };
    all.down(down("u1", 1));
    all.down(down("u1", 2));
    await settled();
    expect(tries).toBe(1);
    await clock.advance(120_000);
    // From 1 s on, at most 30 s apart.
    expect(tries).toBeGreaterThanOrEqual(5);
    expect(tries).toBeLessThan(20);
    u1.accept = () => Promise.resolve();
    await clock.advance(30_000);
    expect(valuesOf(u1)).toEqual([1, 2]);
    expect(clock.pending).toBe(0);
  });

  it("is refused when it has waited too long, whatever the wall's clock says", async () => {
    const { all, u1, of, clock } = desk();
    u1.goDown("no such port");
    all.down(down("u1", 1));
    await clock.advance(300_000);
    clock.setWall(-3_600_000);
    all.down(down("u1", 2));
    await clock.advance(299_999);
    expect(of("downlink")).toEqual([]);
    await clock.advance(1);
    expect(of("downlink")).toEqual([
      {
        type: "downlink",
        service: "all",
        accepted: false,
        module: "u1",
        reason: "expired",
        message: "it waited 600 s, downlinks.max_age: the link of module u1 is not up: no such port",
      },
    ]);
    await clock.advance(300_000);
    expect(of("downlink").map((event) => event.accepted || event.reason)).toEqual(["expired", "expired"]);
    expect(clock.pending).toBe(0);
  });

  it("is refused when as many wait already as may", async () => {
    const { all, u1, of, bridge } = desk({ downlinks: { maxWaiting: 2, maxAgeMs: 1_000 } });
    u1.goDown();
    for (const value of [1, 2, 3, 4]) all.down(down("u1", value));
    await settled();
    expect(of("downlink").map((event) => event.accepted || event.reason)).toEqual(["queue-full", "queue-full"]);
    expect(bridge.stats().downlink).toMatchObject({ waiting: 2, refusals: { "queue-full": 2 } });
    u1.goUp();
    await settled();
    expect(valuesOf(u1)).toEqual([1, 2]);
  });

  it("is refused at once where none may wait", async () => {
    const { all, u1, u2, of, bridge, clock } = desk({ downlinks: { maxWaiting: 0, maxAgeMs: 1_000 } });
    u1.goDown();
    u2.accept = () => Promise.reject(refusal("offline"));
    all.down(down("u1", 1));
    all.down(down("u2", 2));
    await settled();
    expect(
      of("downlink")
        .map((event) => event.accepted || event.reason)
        .sort(),
    ).toEqual(["link-down", "offline"]);
    expect(bridge.stats().downlink.waiting).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("is refused when the bridge stops, or the module goes", async () => {
    const { all, u1, u2, of, bridge } = desk();
    u1.goDown();
    u2.goDown();
    all.down(down("u1", 1));
    all.down(down("u2", 1));
    await settled();
    await bridge.removeLink("u1");
    await bridge.close();
    expect(of("downlink").map((event) => event.accepted || event.reason)).toEqual(["unknown-module", "closing"]);
  });

  it("goes to the link that takes its place", async () => {
    const { all, u1, bridge } = desk();
    u1.goDown();
    all.down(down("u1", 1));
    await settled();
    const next = new FakeLink("u1");
    await bridge.replaceLink(next);
    await settled();
    expect(valuesOf(next)).toEqual([1]);
  });
});

describe("the outcome of a downlink message", () => {
  it("is told on the service's result topic, where it has one", async () => {
    const { all, one, u1 } = desk();
    one.down(down("u1", 1).replace("{", '{"id":"order-17",'));
    one.down(down("u9", 1).replace("{", '{"id":12345678901234567890,'));
    one.down('{"id":[1],"module":"u1","type":"channels"}');
    one.down("nonsense");
    all.down(down("u1", 1));
    await settled();
    u1.accept = () =>
      Promise.reject(new SakuraError("REFUSED", "x".repeat(1_000), { context: { reason: "rx-queue-full" } }));
    one.down(down("u1", 2).replace("{", `{"id":"${"y".repeat(129)}",`));
    await settled();
    const head = '"type":"result","datetime":"2017-04-01T04:51:10.000Z","payload":';
    // What no link has to be asked for is told first.
    expect(one.told).toEqual([
      `result {"module":"u9",${head}{"accepted":false,"reason":"unknown-module","message":"module: there is no module u9 in service one","id":12345678901234567890}}`,
      expect.stringMatching(
        /^result \{"module":"u1",.*"payload":\{"accepted":false,"reason":"invalid-message","message":"payload: [^"]+"\}\}$/,
      ),
      expect.stringMatching(/^result \{"module":null,.*"reason":"invalid-message","message":"not JSON: .*"\}\}$/),
      `result {"module":"u1",${head}{"accepted":true,"id":"order-17"}}`,
      `result {"module":"u1",${head}{"accepted":false,"reason":"rx-queue-full","message":"${"x".repeat(255)}…"}}`,
    ]);
    expect(all.told).toEqual([]);
  });
});

describe("a message of the bridge's own API", () => {
  const message = parseDownlink(down("u1", 5));

  it("is delivered, and told like any other", async () => {
    const { bridge, u1, of } = desk();
    await bridge.send(message);
    expect(u1.delivered).toEqual([message]);
    expect(of("downlink")).toEqual([{ type: "downlink", service: undefined, accepted: true, message }]);
    expect(of("message")).toEqual([]);
  });

  it("is refused at once when it cannot be delivered now", async () => {
    const { bridge, u1, all, of, clock } = desk();
    expect((await failsWith("REFUSED", bridge.send(parseDownlink(down("u9", 1))))).context).toEqual({
      reason: "unknown-module",
      module: "u9",
    });
    u1.goDown();
    expect((await failsWith("REFUSED", bridge.send(message))).context).toEqual({ reason: "link-down", module: "u1" });
    all.down(down("u1", 1));
    await settled();
    expect((await failsWith("REFUSED", bridge.send(message))).context).toMatchObject({ reason: "link-down" });
    u1.goUp();
    await settled();
    await bridge.send(message);
    expect(u1.delivered.map(({ payload }) => payload.channels[0]?.value)).toEqual([1, 5]);
    await bridge.close();
    expect((await failsWith("REFUSED", bridge.send(message))).context).toMatchObject({ reason: "closing" });
    expect(of("downlink")).toHaveLength(6);
    expect(clock.pending).toBe(0);
  });

  it("is published as the module's own where its link mirrors, once it is delivered", async () => {
    const { bridge, u1, waiting, of } = desk();
    u1.mirrors = true;
    await bridge.send(message);
    expect(waiting("all")).toEqual([
      '{"module":"u1","type":"channels","datetime":"2017-04-01T04:51:10.000Z","payload":{"channels":[{"channel":1,"type":"i","value":5,"datetime":"2017-04-01T04:51:10.000Z"}]}}',
    ]);
    u1.accept = () => Promise.reject(refusal("tx-queue-full"));
    await failsWith("REFUSED", bridge.send(message));
    expect(of("message")).toHaveLength(1);
  });

  it("that the outbox does not take in the mirror is delivered all the same, and told", async () => {
    const { bridge, u1, of } = desk({ maxBytes: 100 });
    u1.mirrors = true;
    await bridge.send(message);
    expect(of("message-refused")).toMatchObject([{ module: "u1", reason: "outbox-full" }]);
  });
});

describe("services that come and go", () => {
  it("leave every other as it is, and their messages where they are", async () => {
    const { bridge, u1, u2, all, one, waiting, of } = desk();
    await u1.send(1);
    const next = new FakeService("one");
    await bridge.replaceService("one", { name: "uno", modules: ["u2"], create: () => next });
    expect([one.closedWith, all.closedWith]).toEqual([300, undefined]);
    await u1.send(2);
    await u2.send(3);
    const valuesIn = (name: string) => waiting(name).map((text) => JSON.parse(text).payload.channels[0].value);
    expect(valuesIn("uno")).toEqual([1, 3]);
    expect(valuesIn("all")).toEqual([1, 2, 3]);
    expect(bridge.stats().services.map(({ name, waiting }) => [name, waiting])).toEqual([
      ["all", 3],
      ["uno", 2],
    ]);
    await bridge.removeService("uno", { discard: false });
    expect(of("service-removed")).toEqual([
      { type: "service-removed", service: "one", waiting: 0 }, // renamed
      { type: "service-removed", service: "uno", waiting: 2 },
    ]);
    expect(bridge.stats().orphans).toMatchObject([{ service: "uno", waiting: 2, deadLetters: 0 }]);
    bridge.addService({ name: "uno", create: () => new FakeService("uno") });
    expect(bridge.stats().orphans).toEqual([]);
    await u1.send(4);
    expect(bridge.stats().services.map(({ waiting }) => waiting)).toEqual([4, 3]);
  });

  it("are handed nothing more, and forget nothing, once another is in their place", async () => {
    const lanes: OutboxLane[] = [];
    const create = (lane: OutboxLane) => {
      lanes.push(lane);
      return new FakeService("one");
    };
    const part = { name: "one", create };
    const outbox = new MemoryOutbox(100_000);
    const u1 = new FakeLink("u1");
    const bridge = new Bridge({ links: [u1], services: [part], outbox, clock: new VirtualClock(START) });
    bridge.start();
    await u1.send(1);
    const message = lanes[0]?.next();
    await bridge.replaceService("one", part);
    expect(lanes[0]?.next()).toBeUndefined();
    expect(lanes[1]?.next()).toBe(message);
    if (message) lanes[0]?.forget(message);
    expect(outbox.lane("one").messages).toBe(1);
  });

  it("keep a message that comes while a lane gets its new name", async () => {
    const outbox = new MemoryOutbox(100_000);
    const rename = outbox.rename.bind(outbox);
    let go = (): void => undefined;
    outbox.rename = async (from, to) => {
      await new Promise<void>((resolve) => (go = resolve));
      await rename(from, to);
    };
    const { bridge, u1 } = desk({ outbox });
    const replaced = bridge.replaceService("one", { name: "uno", create: () => new FakeService("uno") });
    await settled();
    const sent = u1.send(1);
    await settled();
    expect(outbox.lane("all").messages).toBe(0);
    go();
    await Promise.all([replaced, sent]);
    expect(outbox.lanes()).toEqual(["all", "uno"]);
    expect(outbox.lane("uno").messages).toBe(1);
  });

  it("goes on as it was when its lane cannot get the new name", async () => {
    const outbox = new MemoryOutbox(100_000);
    outbox.rename = () => Promise.reject(new SakuraError("FILE_FAILED", "disk full"));
    const { bridge, u1 } = desk({ outbox });
    await failsWith("FILE_FAILED", bridge.replaceService("one", { name: "uno", create: () => new FakeService("uno") }));
    await u1.send(1);
    expect(bridge.stats().services.map(({ name, waiting }) => [name, waiting])).toEqual([
      ["all", 1],
      ["one", 1],
    ]);
  });

  it("tell of messages that were set aside, and of lanes that nobody is for", async () => {
    const outbox = new MemoryOutbox(100_000);
    await outbox.append({ module: "u1", payload: Buffer.from("{}") }, ["gone"]);
    let lane: OutboxLane | undefined;
    const create = (given: OutboxLane) => {
      lane = given;
      return new FakeService("one");
    };
    const u1 = new FakeLink("u1");
    const bridge = new Bridge({
      links: [u1],
      services: [{ name: "one", create }],
      outbox,
      clock: new VirtualClock(START),
    });
    const events: BridgeEvent[] = [];
    bridge.onEvent((event) => events.push(event));
    bridge.start();
    expect(events[0]).toEqual({ type: "service-removed", service: "gone", waiting: 1 });
    await u1.send(1);
    const message = lane?.next();
    if (message) await lane?.setAside(message, "closed on it three times");
    expect(events.at(-1)).toEqual({
      type: "dead-letter",
      service: "one",
      module: "u1",
      reason: "closed on it three times",
    });
    expect(bridge.stats()).toMatchObject({
      services: [{ waiting: 0, deadLetters: 1, oldestAt: undefined, dropped: { full: 0, expired: 0, damaged: 0 } }],
      orphans: [{ service: "gone", waiting: 1 }],
      outbox: { state: "ok" },
    });
  });
});

describe("an outbox in trouble", () => {
  it("is told, and counted", async () => {
    const outbox = new MemoryOutbox(100_000);
    let tell: (state: OutboxState) => void = () => undefined;
    outbox.onState = (listener) => {
      tell = listener;
      return () => undefined;
    };
    const { bridge, of } = desk({ outbox });
    tell({ state: "low-space", reason: "1 MiB left" });
    bridge.note("a block is damaged");
    expect(of("outbox")).toEqual([
      { type: "outbox", state: { state: "low-space", reason: "1 MiB left" } },
      { type: "outbox", state: { state: "ok" }, note: "a block is damaged" },
    ]);
  });

  it("that drops messages is looked at, and many are told as one", async () => {
    const outbox = new MemoryOutbox(100_000);
    const dropped = { full: 0, expired: 0, damaged: 2 };
    Object.defineProperty(outbox.lane("one"), "dropped", { get: () => dropped });
    const { bridge, of, clock } = desk({ outbox, lookMs: 10_000 });
    expect(of("dropped")).toEqual([{ type: "dropped", service: "one", messages: 2, why: "damaged" }]);
    dropped.full += 5;
    dropped.expired += 7;
    await clock.advance(20_000);
    dropped.full++;
    await bridge.close();
    expect(of("dropped").slice(1)).toEqual([
      { type: "dropped", service: "one", messages: 5, why: "full" },
      { type: "dropped", service: "one", messages: 7, why: "expired" },
      { type: "dropped", service: "one", messages: 1, why: "full" },
    ]);
    expect(clock.pending).toBe(0);
  });
});

describe("a clock that is set back an hour", () => {
  it("is what messages carry, and holds nothing", async () => {
    const { bridge, u1, waiting, clock, all, of } = desk();
    clock.setWall(-3_600_000);
    await u1.send(1);
    expect(waiting("all")[0]).toContain('"datetime":"2017-04-01T03:51:10.000Z","payload"');
    u1.accept = () => new Promise(() => undefined);
    all.down(down("u1", 1));
    await clock.advance(30_000);
    expect(of("downlink")).toMatchObject([{ accepted: false, reason: "timeout" }]);
    const closed = bridge.close();
    await clock.advance(5_000);
    await closed;
  });
});

describe("the end of a bridge", () => {
  it("closes links, then services, and reports what was not sent", async () => {
    const { bridge, u1, all, one, of } = desk();
    await u1.send(1);
    await u1.send(2);
    await bridge.close();
    await bridge.close();
    expect(u1.state().state).toBe("stopped");
    expect([all.closedWith, one.closedWith]).toEqual([1_200, 1_200]);
    expect(of("unsent")).toEqual([
      { type: "unsent", service: "all", messages: 2 },
      { type: "unsent", service: "one", messages: 2 },
    ]);
  });

  it("refuses what comes meanwhile, and what still waits", async () => {
    const { bridge, u1, u2, all, of } = desk();
    u1.accept = () => new Promise(() => undefined);
    all.down(down("u1", 1));
    all.down(down("u1", 2));
    await settled();
    const closed = bridge.close();
    expect((await failsWith("REFUSED", u2.send(1))).context).toMatchObject({ reason: "closing" });
    await closed;
    expect(of("downlink")).toMatchObject([
      { accepted: false, reason: "closing" },
      { accepted: false, reason: "closing" },
    ]);
  });

  it("comes within 5 s though nothing lets go", async () => {
    const { bridge, clock, u1, all } = desk();
    u1.close = () => new Promise(() => undefined);
    all.close = () => new Promise(() => undefined);
    const closed = bridge.close();
    await clock.advance(4_000);
    await closed;
    expect(clock.pending).toBe(0);
  });
});

describe("a bridge", () => {
  it("has settled when every link has", async () => {
    const { bridge } = desk();
    await bridge.settled();
    expect(bridge.stats().links).toEqual([
      { module: "u1", kind: "emulated", state: { state: "up", since: 0, endpoint: "fake:u1" } },
      { module: "u2", kind: "emulated", state: { state: "up", since: 0, endpoint: "fake:u2" } },
    ]);
  });

  it("has a service try again", () => {
    const { bridge, all, one } = desk();
    bridge.retry("one");
    expect([all.retries, one.retries]).toEqual([0, 1]);
    expect(() => bridge.retry("two")).toThrow("there is no service two");
  });

  it("tells how everything stood at the start", () => {
    const { events } = desk();
    expect(events.map((event) => event.type)).toEqual(["service", "service", "link", "link", "link", "link"]);
  });
});

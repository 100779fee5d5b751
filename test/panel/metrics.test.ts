import { describe, expect, it } from "vitest";
import type { BridgeStats } from "../../host/bridge/index.ts";
import { openPanel } from "../../host/panel/server.ts";
import { ask, failing, serviceStats, startPanel, T0, testClock, view } from "./support.ts";

/** The text format's grammar, line by line (Prometheus, exposition format 0.0.4). */
const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"`;
const NUMBER = String.raw`(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]?Inf)`;
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (${NUMBER})$`, "i");
const COMMENT = new RegExp(`^# (?:HELP ${NAME} [^\\n]*|TYPE ${NAME} (?:counter|gauge|histogram|summary|untyped))$`);

/** Every sample by its name and labels. A line that is none of the grammar's fails the test. */
async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const { status, text, headers } = await ask(`${url}/metrics`);
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(text.endsWith("\n")).toBe(true);
  const samples = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    if (line.startsWith("#")) {
      expect(line).toMatch(COMMENT);
      const name = /^# TYPE (\S+)/.exec(line)?.[1];
      if (name === undefined) continue;
      expect(typed.has(name), `${name} stands twice`).toBe(false);
      typed.add(name);
      continue;
    }
    const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
    expect(name, line).toBeDefined();
    samples.set(`${name}${labels}`, Number(value));
  }
  return samples;
}

const only = (samples: ReadonlyMap<string, number>, prefix: string) =>
  Object.fromEntries([...samples].filter(([name]) => name.startsWith(prefix)));

describe("/metrics", () => {
  it("has the bridge's figures, and the process's", async () => {
    const { url, control } = await startPanel();
    control.current = {
      ...control.current,
      uplink: { accepted: 12, refused: 3, unrouted: 2, nonFinite: 1 },
      downlink: { accepted: 4, refused: 3, waiting: 1, refusals: { offline: 2, "queue-full": 1 } },
      orphans: [{ service: "gone", waiting: 5, waitingBytes: 9, oldestAt: T0, deadLetters: 0 }],
      services: [
        serviceStats({
          published: 9,
          waiting: 3,
          waitingBytes: 1_000,
          oldestAt: T0 + 30_000,
          dropped: { full: 5, expired: 6, damaged: 7 },
          deadLetters: 8,
        }),
        serviceStats({ name: "plant-b", state: failing }),
      ],
    };
    const samples = await scrape(url);
    expect(samples.get("sakuraio_messages_accepted_total")).toBe(12);
    expect(samples.get("sakuraio_messages_unrouted_total")).toBe(2);
    expect(samples.get("sakuraio_values_not_finite_total")).toBe(1);
    expect(samples.get("sakuraio_downlinks_accepted_total")).toBe(4);
    expect(only(samples, "sakuraio_downlinks_refused")).toEqual({
      'sakuraio_downlinks_refused_total{reason="offline"}': 2,
      'sakuraio_downlinks_refused_total{reason="queue-full"}': 1,
    });
    expect(samples.get("sakuraio_downlinks_waiting")).toBe(1);
    expect(samples.get('sakuraio_orphan_messages{service="gone"}')).toBe(5);
    expect(only(samples, "sakuraio_service_state")).toEqual({
      'sakuraio_service_state{service="plant-a",state="connecting"}': 0,
      'sakuraio_service_state{service="plant-a",state="online"}': 1,
      'sakuraio_service_state{service="plant-a",state="error"}': 0,
      'sakuraio_service_state{service="plant-a",state="stopped"}': 0,
      'sakuraio_service_state{service="plant-b",state="connecting"}': 0,
      'sakuraio_service_state{service="plant-b",state="online"}': 0,
      'sakuraio_service_state{service="plant-b",state="error"}': 1,
      'sakuraio_service_state{service="plant-b",state="stopped"}': 0,
    });
    expect(samples.get('sakuraio_service_failed_attempts{service="plant-b"}')).toBe(3);
    expect(samples.get('sakuraio_messages_published_total{service="plant-a"}')).toBe(9);
    expect(samples.get('sakuraio_outbox_messages{service="plant-a"}')).toBe(3);
    expect(samples.get('sakuraio_outbox_bytes{service="plant-a"}')).toBe(1_000);
    expect(samples.get('sakuraio_outbox_oldest_age_seconds{service="plant-a"}')).toBe(30);
    expect(samples.get('sakuraio_outbox_oldest_age_seconds{service="plant-b"}')).toBe(0);
    expect(samples.get('sakuraio_dead_letters{service="plant-a"}')).toBe(8);
    expect(only(samples, 'sakuraio_messages_dropped_total{service="plant-a"')).toEqual({
      'sakuraio_messages_dropped_total{service="plant-a",why="full"}': 5,
      'sakuraio_messages_dropped_total{service="plant-a",why="expired"}': 6,
      'sakuraio_messages_dropped_total{service="plant-a",why="damaged"}': 7,
    });
    expect(only(samples, "sakuraio_outbox_state")).toEqual({
      'sakuraio_outbox_state{state="ok"}': 1,
      'sakuraio_outbox_state{state="low-space"}': 0,
      'sakuraio_outbox_state{state="failed"}': 0,
    });
    expect(only(samples, "sakuraio_links")).toEqual({ 'sakuraio_links{kind="emulated",state="up"}': 1 });
    expect(samples.get('sakuraio_certificate_expiry_timestamp_seconds{service="plant-a"}')).toBe(1_767_409_445);
    expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(0);
  });

  it("moves, counts from the start, and forgets a service that is gone", async () => {
    const { url, control, panel } = await startPanel();
    const refusal = { type: "message-refused", module: "u1", message: "full", reason: "outbox-full" } as const;
    const refused = 'sakuraio_messages_refused_total{reason="outbox-full"}';
    expect((await scrape(url)).get(refused)).toBe(0);
    panel.event(refusal);
    panel.event(refusal);
    panel.event({ type: "service", service: "plant-a", state: { state: "online", since: T0, endpoint: "b:1" } });
    panel.event({ type: "service", service: "plant-a", state: failing });
    // The try itself is the same failure.
    panel.event({ type: "service", service: "plant-a", state: { ...failing, nextAttempt: undefined } });
    panel.event({ type: "dead-letter", service: "plant-a", module: "u1", reason: "too large" });
    control.current = { ...control.current, uplink: { ...control.current.uplink, accepted: 1 } };
    const after = await scrape(url);
    expect(after.get(refused)).toBe(2);
    expect(after.get("sakuraio_messages_accepted_total")).toBe(1);
    expect(after.get('sakuraio_service_connects_total{service="plant-a"}')).toBe(1);
    expect(after.get('sakuraio_service_failures_total{service="plant-a",failure="no-connack"}')).toBe(1);
    expect(after.get('sakuraio_messages_set_aside_total{service="plant-a"}')).toBe(1);
    control.current = { ...control.current, services: [] };
    control.views = [];
    panel.event({ type: "service-removed", service: "plant-a", waiting: 0 });
    const gone = await scrape(url);
    expect([...gone.keys()].filter((name) => name.includes("plant-a"))).toEqual([]);
  });

  it("has no more time series for ten thousand modules, or for reasons without end", async () => {
    const { url, control } = await startPanel();
    // Not the process's own, such as those of its kinds of garbage collection, which come as they happen.
    const ours = (all: ReadonlyMap<string, number>) =>
      [...all.keys()].filter((name) => name.startsWith("sakuraio_")).length;
    const before = ours(await scrape(url));
    const links: BridgeStats["links"] = Array.from({ length: 10_000 }, (_, i) => ({
      module: `u${i}`,
      kind: "emulated",
      state: { state: "up", since: T0, endpoint: "here" },
    }));
    const refusals = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`reason-${i}`, 1]));
    control.current = { ...control.current, links, downlink: { accepted: 0, refused: 200, waiting: 0, refusals } };
    const samples = await scrape(url);
    expect(samples.get('sakuraio_links{kind="emulated",state="up"}')).toBe(10_000);
    expect(samples.get('sakuraio_downlinks_refused_total{reason="other"}')).toBe(150);
    expect(ours(samples) - before).toBeLessThan(60);
  });

  it("takes any name of a service as a label", async () => {
    const { url, control } = await startPanel();
    const name = 'a"b\\c\n{工場}';
    control.current = { ...control.current, services: [serviceStats({ name })] };
    control.views = [{ ...view, name }];
    const samples = await scrape(url);
    expect(samples.get(String.raw`sakuraio_outbox_messages{service="a\"b\\c\n{工場}"}`)).toBe(0);
  });

  it("is there while the bridge starts", async () => {
    const panel = await openPanel({ listen: "127.0.0.1:0", clock: testClock, onFailure: () => undefined });
    const samples = await scrape(`http://${panel.address}`);
    expect(samples.get("process_cpu_seconds_total")).toBeGreaterThanOrEqual(0);
    await panel.close();
  });
});

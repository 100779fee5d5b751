/** Whatever is acknowledged, lost and made anew in whatever order: at QoS 1 nothing is lost, and each module keeps its order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { MemoryOutbox } from "../../host/bridge/index.ts";
import { ConnectedService } from "../../host/bridge/service/connected-service.ts";
import type { ConnectionEvents, Delivery } from "../../host/bridge/service/connection.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { settled } from "../support/held-uplink.ts";

const MODULES = 4;

type Step =
  | { readonly do: "append"; readonly module: number; readonly count: number }
  | { readonly do: "acknowledge"; readonly connection: number; readonly index: number }
  | { readonly do: "lose"; readonly connection: number; readonly arrived: number; readonly afterPublish: boolean }
  | { readonly do: "wait"; readonly ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("append" as const),
      module: fc.nat(MODULES - 1),
      count: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({ do: fc.constant("acknowledge" as const), connection: fc.nat(3), index: fc.nat(4) }),
    fc.record({
      do: fc.constant("lose" as const),
      connection: fc.nat(3),
      arrived: fc.nat(4),
      afterPublish: fc.boolean(),
    }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 4_000 }) }),
  ),
  { maxLength: 60 },
);

/** One connection, and the broker behind it, which takes what it was sent in order, but acknowledges as it likes. */
class FakeConnection {
  readonly #events: ConnectionEvents;
  readonly #arrived: (delivery: Delivery) => void;
  readonly open: { readonly delivery: Delivery; hasArrived: boolean }[] = [];
  isOver = false;

  constructor(events: ConnectionEvents, arrived: (delivery: Delivery) => void) {
    this.#events = events;
    this.#arrived = arrived;
  }

  publish(delivery: Delivery): void {
    this.open.push({ delivery, hasArrived: false });
  }

  acknowledge(index: number): void {
    if (this.open.length === 0) return;
    const at = index % this.open.length;
    this.#arrive(at + 1);
    for (const { delivery } of this.open.splice(at, 1)) this.#events.onDelivered(delivery);
  }

  /** @param arrived how much of what was sent the broker has taken */
  lose(arrived: number, afterPublish: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#arrive(arrived);
    const reason = new SakuraError("SERVICE_FAILED", "lost", { context: { reason: "connection-lost" } });
    this.#events.onLost({ reason, afterPublish: afterPublish && this.open.length > 0 });
  }

  #arrive(count: number): void {
    for (const sent of this.open.slice(0, count)) {
      if (!sent.hasArrived) this.#arrived(sent.delivery);
      sent.hasArrived = true;
    }
  }

  end(): Promise<void> {
    this.isOver = true;
    return Promise.resolve();
  }
}

async function run(clientIds: readonly string[], window: number, script: readonly Step[]) {
  const clock = new VirtualClock();
  const outbox = new MemoryOutbox(1_000_000);
  const lane = outbox.lane("a");
  const arrived = new Map<string, number[]>();
  const sent = new Map<string, number>();
  const newest = new Map<string, FakeConnection>();
  const published: string[] = [];
  const service = new ConnectedService({
    name: "a",
    endpoint: "cloud:8883",
    clientIds,
    qos: 1,
    lane,
    clock,
    random: () => 0,
    window,
    addressOf: ({ module }) => ({ topic: module }),
    connect(clientId, events) {
      const connection = new FakeConnection(events, ({ topic, payload }) => {
        const numbers = arrived.get(topic) ?? [];
        numbers.push(Number(Buffer.from(payload).toString()));
        arrived.set(topic, numbers);
      });
      newest.set(clientId, connection);
      return Promise.resolve(connection);
    },
  });
  service.start({
    onDownlink: () => undefined,
    onPublished: ({ module, payload }) => published.push(`${module} ${Buffer.from(payload).toString()}`),
  });
  await settled();
  const at = (index: number) => newest.get(clientIds[index % clientIds.length] ?? "");
  for (const step of script) {
    if (step.do === "append") {
      const module = `u${step.module}`;
      for (let i = 0; i < step.count; i++) {
        const number = (sent.get(module) ?? 0) + 1;
        sent.set(module, number);
        await outbox.append({ module, payload: Buffer.from(String(number)) }, ["a"]);
      }
    } else if (step.do === "acknowledge") at(step.connection)?.acknowledge(step.index);
    else if (step.do === "lose") at(step.connection)?.lose(step.arrived, step.afterPublish);
    else await clock.advance(step.ms);
    await settled();
  }
  // From here on all is well.
  for (let quiet = 0; lane.messages > 0 && quiet < 1_000; quiet++) {
    await clock.advance(1_000);
    for (const connection of newest.values())
      while (connection.open.length > 0 && !connection.isOver) connection.acknowledge(0);
    await settled();
  }
  await service.close(0);
  return { arrived, sent, published, lane, pending: clock.pending };
}

describe("at QoS 1", () => {
  it.each([1, 2, 3])("with %i connections nothing is lost, and each module keeps its order", async (connections) => {
    const clientIds = Array.from({ length: connections }, (_, index) => `me-${index}`);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), steps, async (window, script) => {
        const { arrived, sent, published, lane, pending } = await run(clientIds, window, script);
        expect(lane.messages).toBe(0);
        expect(pending).toBe(0);
        expect(new Set(published).size).toBe(published.length);
        let expected = 0;
        for (const [module, count] of sent) {
          expected += count;
          // The first time that each arrives; what arrives again is a duplicate.
          const firsts = [...new Set(arrived.get(module) ?? [])];
          expect(firsts).toEqual(Array.from({ length: count }, (_, index) => index + 1));
        }
        expect(published.length + lane.deadLetters).toBe(expected);
      }),
      { numRuns: 150 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { type LinkState, type OpenLink, retryingLink } from "../../host/bridge/index.ts";
import type { Uplink } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import type { DownlinkMessage } from "../../protocol/message.ts";
import { failsWith } from "../support/errors.ts";
import { settled } from "../support/held-uplink.ts";

const START = 1_491_022_270_000;
const uplink: Uplink = { take: () => Promise.resolve() };
const message: DownlinkMessage = {
  type: "channels",
  module: "u1",
  payload: { channels: [{ channel: 0, type: "i", value: 1 }] },
};

function desk() {
  const clock = new VirtualClock(START);
  /** What the next openings end with; success when there is none. */
  const failures: Error[] = [];
  const opened: { lose: (reason: SakuraError) => void; closed: boolean; delivered: DownlinkMessage[] }[] = [];
  let hold: Promise<void> | undefined;
  const link = retryingLink({
    module: "u1",
    kind: "emulated",
    clock,
    random: () => 0.5,
    async open(): Promise<OpenLink> {
      await hold;
      const failure = failures.shift();
      if (failure) throw failure;
      let lose: (reason: SakuraError) => void = () => undefined;
      const lost = new Promise<SakuraError>((resolve) => (lose = resolve));
      const one = { lose, closed: false, delivered: [] as DownlinkMessage[] };
      opened.push(one);
      return {
        endpoint: `pty ${opened.length}`,
        lost,
        async deliver(given) {
          one.delivered.push(given);
        },
        async close() {
          one.closed = true;
        },
      };
    },
  });
  const states: LinkState[] = [];
  link.onState((state) => states.push(state));
  return {
    clock,
    failures,
    opened,
    link,
    states,
    holdOpening(): () => void {
      let go = (): void => undefined;
      hold = new Promise((resolve) => (go = resolve));
      return go;
    },
  };
}

const missing = (): SakuraError => new SakuraError("PORT_NOT_FOUND", "no such port");

describe("a link whose port comes and goes", () => {
  it("is up, in error with the reason while it is not, and up again", async () => {
    const { clock, failures, opened, link, states } = desk();
    expect(link.state()).toEqual({ state: "starting", since: START });
    failures.push(missing(), missing());
    link.start(uplink);
    await settled();
    await clock.advance(750);
    await clock.advance(1_250);
    opened[0]?.lose(new SakuraError("PORT_LOST", "it was pulled"));
    await settled();
    await clock.advance(750);
    const error = { state: "error", reason: "no such port", since: START };
    expect(states).toEqual([
      { ...error, attempt: 1, nextAttempt: START + 750 },
      { ...error, attempt: 1, nextAttempt: undefined },
      { ...error, attempt: 2, nextAttempt: START + 2_000 },
      { ...error, attempt: 2, nextAttempt: undefined },
      { state: "up", since: START + 2_000, endpoint: "pty 1" },
      { state: "error", since: START + 2_000, reason: "it was pulled", attempt: 1, nextAttempt: START + 2_750 },
      { state: "error", since: START + 2_000, reason: "it was pulled", attempt: 1, nextAttempt: undefined },
      { state: "up", since: START + 2_750, endpoint: "pty 2" },
    ]);
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it("delivers while it is up, and refuses otherwise", async () => {
    const { failures, opened, link } = desk();
    failures.push(missing());
    const before = await failsWith("REFUSED", link.deliver(message));
    expect(before.context).toEqual({ reason: "link-down" });
    link.start(uplink);
    await settled();
    expect((await failsWith("REFUSED", link.deliver(message))).message).toContain("no such port");
    failures.length = 0;
    await link.close();
    const again = desk();
    again.link.start(uplink);
    await settled();
    await again.link.deliver(message);
    expect(again.opened[0]?.delivered).toEqual([message]);
    expect(opened).toEqual([]);
  });

  it("waits no longer than 5 s between two tries", async () => {
    const { clock, failures, link } = desk();
    for (let i = 0; i < 20; i++) failures.push(missing());
    link.start(uplink);
    await settled();
    for (let i = 0; i < 19; i++) await clock.advance(5_000);
    expect(failures).toEqual([]);
  });

  it("stops for good, whatever it was doing", async () => {
    const up = desk();
    up.link.start(uplink);
    await settled();
    await up.link.close();
    expect(up.opened[0]?.closed).toBe(true);

    const waiting = desk();
    waiting.failures.push(missing());
    waiting.link.start(uplink);
    await settled();
    await waiting.link.close();
    expect(waiting.clock.pending).toBe(0);

    const opening = desk();
    const go = opening.holdOpening();
    opening.link.start(uplink);
    const closed = opening.link.close();
    go();
    await closed;
    expect(opening.opened[0]?.closed).toBe(true);

    for (const { link, states } of [up, waiting, opening]) {
      expect(link.state().state).toBe("stopped");
      expect(states.filter(({ state }) => state === "stopped")).toHaveLength(1);
      await link.close();
      expect((await failsWith("REFUSED", link.deliver(message))).context).toEqual({ reason: "link-down" });
    }
  });
});

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import type { BridgeEvent } from "../../host/bridge/index.ts";
import { ask, failing, startPanel, T0 } from "./support.ts";

/** A reader of the events. */
class Reader {
  readonly response: IncomingMessage;
  #text = "";
  #ended = false;
  #waiting: (() => void)[] = [];

  private constructor(response: IncomingMessage) {
    this.response = response;
    const wake = (): void => {
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    response.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      wake();
    });
    response.on("close", () => {
      this.#ended = true;
      wake();
    });
  }

  static async open(url: string): Promise<Reader> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { agent: false }, resolve).on("error", reject);
    });
    onTestFinished(() => {
      response.destroy();
    });
    return new Reader(response);
  }

  get text(): string {
    return this.#text;
  }

  async has(part: string): Promise<void> {
    while (!this.#text.includes(part)) {
      if (this.#ended) throw new Error(`ended before ${part}: ${this.#text}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async end(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

const removed = (service: string): BridgeEvent => ({ type: "service-removed", service, waiting: 0 });

describe("GET /api/events", () => {
  it("tells what happens, as the command line's --json does, 64-bit values exact", async () => {
    const { url, panel } = await startPanel();
    const reader = await Reader.open(`${url}/api/events`);
    expect(reader.response.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    await reader.has("retry: 2000\n\n");
    panel.event({
      type: "message",
      services: ["plant-a"],
      nonFinite: 0,
      message: {
        module: "u1",
        type: "channels",
        datetime: "2018-06-21T01:10:57.770Z",
        payload: {
          channels: [{ channel: 0, type: "L", value: 18_446_744_073_709_551_615n, datetime: "2018-06-21T01:10:57Z" }],
        },
      },
    });
    // A try that is under way is no news.
    panel.event({ type: "service", service: "plant-a", state: { ...failing, nextAttempt: undefined } });
    panel.event({ type: "link", module: "u1", kind: "tap", state: { state: "up", since: T0, endpoint: "a\nb" } });
    await reader.has('"link"');
    expect(reader.text).toBe(
      "retry: 2000\n\n" +
        'data: {"event":"message","services":["plant-a"],"message":{"module":"u1","type":"channels","datetime":"2018-06-21T01:10:57.770Z","payload":{"channels":[{"channel":0,"type":"L","value":18446744073709551615,"datetime":"2018-06-21T01:10:57Z"}]}}}\n\n' +
        'data: {"event":"link","module":"u1","link":"tap","state":"up","since":"2026-01-02T03:04:05.000Z","endpoint":"a\\nb"}\n\n',
    );
  });

  it("tells some kinds alone, where that is asked for", async () => {
    const { url, panel } = await startPanel();
    const reader = await Reader.open(`${url}/api/events?types=service-removed,link-removed`);
    panel.event({ type: "unsent", service: "plant-a", messages: 1 });
    panel.event(removed("plant-a"));
    await reader.has("service-removed");
    expect(reader.text).not.toContain("unsent");
    expect((await ask(`${url}/api/events?types=service,x`)).status).toBe(400);
    expect((await ask(`${url}/api/events`, "HEAD")).status).toBe(404);
  });

  it("says that it is alive", async () => {
    const clock = new VirtualClock();
    const { url } = await startPanel(clock);
    const reader = await Reader.open(`${url}/api/events`);
    await clock.advance(15_000);
    await reader.has("\n\n:\n\n");
    await clock.advance(15_000);
    await reader.has(":\n\n:\n\n");
  });

  it("holds a bounded number of bytes for who does not read, and says what it left out", async () => {
    const { url, panel } = await startPanel();
    const reader = await Reader.open(`${url}/api/events`);
    reader.response.pause();
    const long = "x".repeat(64 * 1024);
    for (let i = 0; i < 2_000; i++) panel.event(removed(`${long}${i}`));
    reader.response.resume();
    await reader.has("x0");
    let skipped = 0;
    while (skipped === 0) {
      // Once there is room again, the next event tells.
      panel.event(removed("the next"));
      await once(reader.response, "data");
      skipped = Number(/"event":"skipped","events":(\d+)/.exec(reader.text)?.[1] ?? 0);
    }
    // All of them are 125 MiB; the kernel's buffers hold some more than ours.
    expect(reader.text.length).toBeLessThan(20 * 1024 * 1024);
    expect(skipped).toBeGreaterThan(1_500);
  });

  it("forgets who has gone, and has room for a bounded number", async () => {
    const { url } = await startPanel();
    const readers = await Promise.all(Array.from({ length: 32 }, () => Reader.open(`${url}/api/events`)));
    const { status, text } = await ask(`${url}/api/events`);
    expect([status, JSON.parse(text)]).toMatchObject([503, { error: { reason: "too-many-readers" } }]);
    readers[0]?.response.destroy();
    for (;;) {
      const again = await Reader.open(`${url}/api/events`);
      if (again.response.statusCode === 200) break;
    }
  });

  it("ends at the stop, after what it still had to tell, and leaves no wait behind", async () => {
    const clock = new VirtualClock();
    const { url, panel } = await startPanel(clock);
    const reader = await Reader.open(`${url}/api/events`);
    panel.stopping();
    panel.event(removed("the last"));
    await panel.close();
    await reader.end();
    expect(reader.text).toContain("the last");
    expect(reader.response.complete).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

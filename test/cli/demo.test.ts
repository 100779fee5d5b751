/** `sakuraio demo`: what `npm start` runs. */
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { parsePlatformMessage } from "../../protocol/message.ts";
import { Running, sakuraio } from "../support/command.ts";

it("prints nothing but JSON lines, and stops after as many messages as asked for", async () => {
  const { code, stdout, stderr } = await sakuraio("demo", "--json", "--messages", "3", "--interval", "50");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.trim().split("\n");
  const events = lines.map((line) => JSON.parse(line) as { event: string; topic?: string });
  expect(events[0]).toMatchObject({ event: "ready", endpoints: { uart: expect.any(String) } });
  const received = events.filter(({ event }) => event === "received");
  expect(received).toHaveLength(3);
  for (const { topic } of received) expect(topic).toBe("sakura/up/u0123456789ab");
  const first = lines.find((line) => line.startsWith('{"event":"received"')) ?? "";
  const message = parsePlatformMessage(first.slice(first.indexOf('"message":') + 10, -1));
  expect(message).toMatchObject({
    module: "u0123456789ab",
    type: "channels",
    payload: {
      channels: [
        { channel: 0, type: "i", value: 1 },
        { channel: 1, type: "f" },
      ],
    },
  });
  // What went down to the subscribe topic came out of the RX queue.
  expect(events.find(({ event }) => event === "dequeued")).toMatchObject({ channel: 10, type: "I", value: 1 });
});

it("tells a person what runs where, and stops on SIGINT with nothing left behind", async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("sakuraio-demo-"));
  const demo = new Running(["demo", "--interval", "20"]);
  await demo.shows(/MCU +dequeued 10:I=1/);
  const { code, stdout, stderr } = await demo.stop("SIGINT");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("nothing leaves this machine");
  expect(stdout).toMatch(/application +sakura\/up\/u0123456789ab\n +\{"module":"u0123456789ab"/);
  expect(stdout).toMatch(/application +sends to sakura\/down\n +\{"type":"channels"/);
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith("sakuraio-demo-"));
  expect(after.filter((name) => !before.includes(name))).toEqual([]);
});

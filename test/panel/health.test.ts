import { describe, expect, it } from "vitest";
import { openPanel } from "../../host/panel/server.ts";
import { failsWith } from "../support/errors.ts";
import { ask, failing, serviceStats, startPanel, T0, testClock } from "./support.ts";

const statusOf = async (url: string): Promise<[number, number, number]> => {
  const [health, ready, live] = await Promise.all(
    ["/health", "/health/ready", "/health/live"].map((path) => ask(url + path)),
  );
  return [health?.status ?? 0, ready?.status ?? 0, live?.status ?? 0];
};

describe("the health of a bridge", () => {
  it("is ok when all is well, and says of what", async () => {
    const { url } = await startPanel();
    const { status, text, headers } = await ask(`${url}/health`);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(JSON.parse(text)).toEqual({
      status: "ok",
      startedAt: "2026-01-02T03:04:05.000Z",
      outbox: { state: "ok" },
      services: [{ name: "plant-a", state: "online", since: "2026-01-02T03:04:05.000Z", endpoint: "broker:8883" }],
      links: { starting: 0, up: 1, error: 0, stopped: 0 },
    });
    expect(await statusOf(url)).toEqual([200, 200, 200]);
  });

  it("is degraded, and ready, while a service is in error: its messages are kept", async () => {
    const { url, control } = await startPanel();
    control.current = { ...control.current, services: [serviceStats({ state: failing })] };
    expect(await statusOf(url)).toEqual([200, 200, 200]);
    expect(JSON.parse((await ask(`${url}/health`)).text)).toMatchObject({
      status: "degraded",
      services: [{ state: "error", reason: "closed without a word", nextAttempt: "2026-01-02T03:04:10.000Z" }],
    });
  });

  it("is degraded while a link is in error, and while the disk is nearly full", async () => {
    const { url, control } = await startPanel();
    const state = { state: "error", since: T0, reason: "gone", attempt: 1, nextAttempt: undefined } as const;
    const well = control.current;
    control.current = { ...well, links: [{ module: "u1", kind: "module", state }] };
    expect(JSON.parse((await ask(`${url}/health`)).text)).toMatchObject({ status: "degraded", links: { error: 1 } });
    control.current = { ...well, outbox: { state: "low-space", reason: "90 MB are left" } };
    expect(JSON.parse((await ask(`${url}/health`)).text)).toMatchObject({ status: "degraded" });
    expect(await statusOf(url)).toEqual([200, 200, 200]);
  });

  it("is failed, and not ready, while the outbox takes nothing", async () => {
    const { url, control } = await startPanel();
    control.current = { ...control.current, outbox: { state: "failed", reason: "the disk is full" } };
    expect(await statusOf(url)).toEqual([503, 503, 200]);
    expect(JSON.parse((await ask(`${url}/health`)).text)).toMatchObject({
      status: "failed",
      outbox: { reason: "the disk is full" },
    });
  });

  it("is not ready before the bridge runs, nor while it stops", async () => {
    const panel = await openPanel({ listen: "127.0.0.1:0", clock: testClock, onFailure: () => undefined });
    const starting = `http://${panel.address}`;
    expect(await statusOf(starting)).toEqual([503, 503, 200]);
    expect((await ask(`${starting}/health`)).text).toBe('{"status":"starting"}');
    expect(JSON.parse((await ask(`${starting}/api/status`)).text)).toMatchObject({ error: { reason: "starting" } });
    await panel.close();
    const running = await startPanel();
    running.panel.stopping();
    expect(await statusOf(running.url)).toEqual([503, 503, 200]);
    const refused = await ask(`${running.url}/api/reload`, "POST");
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([503, { error: { reason: "closing" } }]);
    expect(running.control.calls).toEqual([]);
  });
});

describe("the port", () => {
  it("that is taken is said so", async () => {
    const { panel } = await startPanel();
    const { address: listen } = panel;
    const opened = openPanel({ listen, clock: testClock, onFailure: () => undefined });
    expect((await failsWith("PORT_BUSY", opened)).message).toContain(listen);
  });

  it("can be on IPv6's loopback", async () => {
    const panel = await openPanel({ listen: "[::1]:0", clock: testClock, onFailure: () => undefined });
    expect(panel.address).toMatch(/^\[::1\]:\d+$/);
    expect((await ask(`http://${panel.address}/health/live`)).status).toBe(200);
    await panel.close();
    await panel.close();
  });
});

import { describe, expect, it } from "vitest";
import { ask, rawAsk, startPanel } from "./support.ts";

const portOf = (url: string): string => new URL(url).port;

describe("the port's guard", () => {
  it("knows this machine's names alone: a page's own name that leads here is refused", async () => {
    const { url } = await startPanel();
    const port = portOf(url);
    const get = (host: string) => rawAsk(`${url}/api/status`, "GET", { host });
    expect(await get(`127.0.0.1:${port}`)).toBe(200);
    expect(await get(`localhost:${port}`)).toBe(200);
    // Through a tunnel the port is another.
    expect(await get("localhost:9000")).toBe(200);
    expect(await get(`[::1]:${port}`)).toBe(200);
    for (const host of [`rebound.example:${port}`, "127.0.0.1.example", "localhost.example:80", "10.0.0.1", ""]) {
      expect(await get(host), host).toBe(403);
    }
  });

  it("lets no page from elsewhere use it", async () => {
    const { url, control } = await startPanel();
    const host = new URL(url).host;
    const post = (headers: Record<string, string>) =>
      rawAsk(`${url}/api/services/plant-a/retry`, "POST", { host, ...headers });
    expect(await post({ origin: "https://elsewhere.example" })).toBe(403);
    expect(await post({ origin: "null" })).toBe(403);
    expect(await post({ origin: "http://localhost:1" })).toBe(403);
    expect(await post({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(control.calls).toEqual([]);
    expect(await post({ origin: url, "sec-fetch-site": "same-origin" })).toBe(204);
    expect(control.calls).toEqual([["retry", "plant-a"]]);
  });

  it("takes bodies that are JSON alone: a form cannot be one", async () => {
    const { url, control } = await startPanel();
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]) {
      const { status, text } = await ask(`${url}/api/reload`, "POST", "{}", { "content-type": type });
      expect([status, JSON.parse(text)]).toMatchObject([415, { error: { reason: "not-json" } }]);
    }
    expect(control.calls).toEqual([]);
  });

  it("says what browsers must not do with an answer, and allows no other site", async () => {
    const { url } = await startPanel();
    const { headers } = await ask(`${url}/api/status`);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("server")).toBeNull();
  });

  it("bounds a body, and refuses what is no URL and what is not there", async () => {
    const { url } = await startPanel();
    const large = await ask(`${url}/api/services`, "POST", `"${"x".repeat(1024 * 1024)}"`);
    expect([large.status, JSON.parse(large.text)]).toMatchObject([413, { error: { reason: "too-large" } }]);
    const broken = await ask(`${url}/api/services/%E0%A4%A/retry`, "POST");
    expect([broken.status, JSON.parse(broken.text)]).toMatchObject([400, { error: { reason: "unreadable" } }]);
    const missing = await ask(`${url}/api/nothing?x=1`);
    expect([missing.status, JSON.parse(missing.text)]).toEqual([
      404,
      { error: { code: "INVALID_ARGUMENT", reason: "not-found", message: "there is no GET /api/nothing here" } },
    ]);
  });

  it("tells the log what nobody foresaw, and the client nothing of it", async () => {
    const { url, control, failures } = await startPanel();
    control.outcome = () => Promise.reject(new TypeError("secret words in a stack"));
    const { status, text } = await ask(`${url}/api/reload`, "POST");
    expect(status).toBe(500);
    expect(text).not.toContain("secret words");
    expect(JSON.parse(text)).toMatchObject({ error: { code: "UNEXPECTED" } });
    expect(failures).toEqual([new TypeError("secret words in a stack")]);
  });
});

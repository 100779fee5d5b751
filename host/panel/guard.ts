/**
 * Who may talk to the port. It has no password, because only this machine reaches it; but a browser on this machine
 * runs other people's pages, and those must not reach it through the browser.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { problem } from "./problem.ts";

/**
 * The names of this machine, with any port: a page cannot claim one of them, which a name of its own that resolves to
 * 127.0.0.1 is not (DNS rebinding); and through `ssh -L 9000:127.0.0.1:8080` the port is another.
 */
const OWN_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export function guard(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    refuseStrangers(request);
  });
}

export const securityHeaders: Readonly<Record<string, string>> = HEADERS;

function refuseStrangers({ headers }: FastifyRequest): void {
  const { host = "", origin } = headers;
  if (!OWN_HOST.test(host)) {
    throw problem(403, "wrong-host", "this port answers to localhost, 127.0.0.1 and [::1] alone");
  }
  const sameOrigin = origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`;
  // Where a browser leaves out the origin, this says what it is.
  const site = headers["sec-fetch-site"];
  const otherSite = site === "cross-site" || site === "same-site";
  if (!sameOrigin || otherSite) {
    throw problem(403, "wrong-origin", "a page from elsewhere may not use this port");
  }
}

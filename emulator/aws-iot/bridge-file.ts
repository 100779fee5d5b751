/**
 * The workspace's bridge.yaml. It is written once and then belongs to its reader: a later run changes nothing in it
 * but the port, and that only where a service is plainly this endpoint's, by its root certificate and a host name of
 * this machine. Every other byte stays.
 */
import { resolve } from "node:path";
import { isMap, isScalar, isSeq, parseDocument, type Scalar, stringify, type YAMLMap } from "yaml";
import { identityFiles } from "./identities.ts";

interface BridgeFileOptions {
  readonly port: number;
  readonly publishPrefix: string;
  readonly subscribeTopic: string;
}

/** The file as a new workspace has it. */
export function newBridgeFile({ port, publishPrefix, subscribeTopic }: BridgeFileOptions): string {
  const { authority, device } = identityFiles;
  return `# A bridge between an emulated sakura.io module and the emulated AWS IoT endpoint that runs beside it:
#
#     sakuraio bridge --config bridge.yaml
#
# Yours to edit. "sakuraio aws-iot serve" changes only the port below, when it listens on another one.
# Every path is relative to this file.

services:
  - name: emulated AWS IoT
    type: aws-iot
    hostname: localhost # with the real AWS: your account's endpoint, xxxx-ats.iot.REGION.amazonaws.com
    port: ${port} # with the real AWS: 8883
    # A module's messages go to PREFIX/MODULE_ID; messages for modules come from the subscribe topic. The policy of
    # the certificate below allows these two and nothing else.
    publish_prefix: ${scalar(publishPrefix)}
    subscribe_topic: ${scalar(subscribeTopic)}
    rootca_cert: ${authority.certificate} # with the real AWS: Amazon Root CA 1
    cert: ${device.certificate}
    private_key: ${device.privateKey}

modules:
  # The bridge is the module; your program is the microcontroller, on a new pseudo-terminal whose name the bridge
  # prints. For a real microcontroller behind a USB-serial adapter: uart: /dev/ttyUSB0
  - { id: u0123456789ab, link: emulated, uart: pty }
`;
}

interface PortUpdate {
  /** The file's new text; the old one where nothing had to change. */
  readonly text: string;
  /** What its reader has to see to, if anything. */
  readonly note: string | undefined;
}

/** Brings the port of this endpoint's services up to date. @param dir what the paths in the file are relative to */
export function updatePort(text: string, dir: string, port: number): PortUpdate {
  const document = parseDocument(text);
  if (document.errors.length > 0) return { text, note: "it is not YAML; it was left as it is" };
  const services = document.get("services");
  const items = isSeq(services) ? services.items : [];
  const ours = items.filter((item) => isMap(item)).filter((service) => isOurs(service, dir));
  if (ours.length === 0) {
    return { text, note: "no service in it is this endpoint's; it was left as it is" };
  }
  const stale = ours
    .map((service) => service.get("port", true))
    .filter((node) => !isScalar(node) || node.value !== port);
  const ranges = stale.map(rangeOf);
  if (!ranges.every((range) => range !== undefined)) {
    return { text, note: `give its service the line "port: ${port}"; it was left as it is` };
  }
  let updated = text;
  // From the end, so that the earlier places stay where they are.
  for (const { start, end } of ranges.sort((a, b) => b.start - a.start)) {
    updated = updated.slice(0, start) + String(port) + updated.slice(end);
  }
  return { text: updated, note: undefined };
}

function isOurs(service: YAMLMap, dir: string): boolean {
  const root = service.get("rootca_cert");
  const hostname = service.get("hostname");
  return (
    typeof root === "string" &&
    resolve(dir, root) === resolve(dir, identityFiles.authority.certificate) &&
    typeof hostname === "string" &&
    ["localhost", "127.0.0.1", "::1"].includes(hostname)
  );
}

function rangeOf(node: Scalar | unknown): { readonly start: number; readonly end: number } | undefined {
  const range = isScalar(node) ? node.range : undefined;
  return range ? { start: range[0], end: range[1] } : undefined;
}

function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}

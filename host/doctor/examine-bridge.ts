/** The doctor for a whole bridge: its file, its place on this machine, each service, each link. */
import { isSakuraError } from "../../protocol/errors.ts";
import { wallClock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import type { BridgeConfig } from "../config/schema.ts";
import { examineBridgePlace } from "./bridge-place.ts";
import type { ExaminePortOptions } from "./examine-port.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import { examineLink } from "./link-findings.ts";
import { examineService } from "./service-findings.ts";

export type ExamineBridgeOptions = Omit<ExaminePortOptions, "send" | "sendTimeoutMs">;

/** The checks of a bridge as a whole; those of a service are `SERVICE_CHECKS`, those of a real module `PORT_CHECKS`. */
export const BRIDGE_CHECKS = ["file", "outbox", "http"] as const;

/**
 * Examines a bridge's file and all that it names, and changes nothing. Where a bridge runs on it, its ports and its
 * connections are left alone. Where none does, each service is connected to with its own client ids, as
 * `sakuraio aws-iot check` does: a bridge that runs elsewhere with the same ones is thrown out.
 *
 * Findings of a service or a link have a `subject`: `service plant-a`, `module u0123456789b`.
 *
 *     for await (const { subject, check, verdict } of examineBridge("bridge.yaml")) console.log(subject, check, verdict);
 *
 * @throws SakuraError ABORTED by the signal
 */
export async function* examineBridge(file: string, options: ExamineBridgeOptions = {}): AsyncGenerator<Finding, void> {
  const { clock = wallClock, signal = new AbortController().signal } = options;
  const config = load(file);
  if ("check" in config) {
    yield config;
    return;
  }
  yield fileFinding(file, config);
  const { findings, running } = await examineBridgePlace(config, signal);
  yield* findings;
  for (const service of config.services) {
    const subject = `service ${service.name}`;
    const seen = await examineService({ file, config, service, running, now: clock.now(), signal });
    yield* seen.map((finding) => ({ ...finding, subject }));
  }
  for (const module of config.modules) {
    const subject = `module ${module.id}`;
    if (running) {
      yield { ...skipped("port", "the running bridge has it"), subject };
      continue;
    }
    for await (const finding of examineLink(module, options)) yield { ...finding, subject };
  }
}

function load(file: string): BridgeConfig | Finding {
  try {
    return loadConfig(file);
  } catch (error) {
    if (!isSakuraError(error, "INVALID_CONFIG")) throw error;
    return problem("file", error.message, { facts: { code: error.code, ...error.context } });
  }
}

function fileFinding(file: string, { services, modules, warnings }: BridgeConfig): Finding {
  const facts = { services: services.length, modules: modules.length };
  if (warnings.length > 0) return warning("file", warnings.join("; "), { facts });
  return ok("file", `${file} can be read: services ${facts.services}, modules ${facts.modules}`, { facts });
}

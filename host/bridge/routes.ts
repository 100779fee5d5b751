/** Which services a module's messages go to. Nothing is kept for a module that no service names. */

interface Routed {
  readonly name: string;
  readonly modules?: readonly string[] | undefined;
}

export class Routes {
  /** Of a module that is named nowhere: the services that are for all. */
  #everyone: readonly string[] = [];
  readonly #named = new Map<string, readonly string[]>();
  readonly #members = new Map<string, ReadonlySet<string> | undefined>();

  /** The services as they are now, in the order in which a message's services are told. */
  set(services: Iterable<Routed>): void {
    this.#named.clear();
    this.#members.clear();
    for (const { name, modules } of services) this.#members.set(name, modules && new Set(modules));
    this.#everyone = [...this.#members].flatMap(([name, modules]) => (modules ? [] : [name]));
    for (const modules of this.#members.values()) {
      for (const module of modules ?? []) {
        if (!this.#named.has(module)) this.#named.set(module, this.#servicesFor(module));
      }
    }
  }

  of(module: string): readonly string[] {
    return this.#named.get(module) ?? this.#everyone;
  }

  has(service: string, module: string): boolean {
    return this.#members.has(service) && (this.#members.get(service)?.has(module) ?? true);
  }

  #servicesFor(module: string): readonly string[] {
    return [...this.#members].flatMap(([name, modules]) => (modules?.has(module) === false ? [] : [name]));
  }
}

/** `tollgate plugin dev`: what is saved is served. */

import { buildArtefact } from './build-artefact.ts';
import { type DevGateway, findGateway } from './dev-gateway.ts';
import { askGateway, GatewayRefusal } from './gateway-client.ts';
import { readPackage } from './read-package.ts';
import { watchPackage } from './watch-package.ts';

export interface Development {
  readonly folder: string;
  /** Undefined: see `findGateway`. */
  readonly adminUrl: string | undefined;
  readonly show: (lines: readonly string[]) => void;
  /** Resolves when the author has had enough. */
  readonly stopped: Promise<void>;
}

/** Resolves when it is stopped. Throws AuthoringError when there is nothing to start with. */
export async function develop({ folder, adminUrl, show, stopped }: Development): Promise<void> {
  const { root } = readPackage(folder);
  const gateway = await findGateway(adminUrl, root);
  const publisher = new ChangePublisher(gateway, root, show);
  const unwatch = watchPackage(root, () => publisher.noteChange());
  publisher.noteChange();
  await stopped;
  unwatch();
  await publisher.idle();
  await gateway.stop();
}

/** Publishes one version after the other; of what is saved meanwhile the last. */
class ChangePublisher {
  readonly #gateway: DevGateway;
  readonly #root: string;
  readonly #show: (lines: readonly string[]) => void;
  #liveDigest: string | undefined;
  #hasChanged = false;
  #work: Promise<void> | undefined;

  constructor(gateway: DevGateway, root: string, show: (lines: readonly string[]) => void) {
    this.#gateway = gateway;
    this.#root = root;
    this.#show = show;
  }

  noteChange(): void {
    this.#hasChanged = true;
    this.#work ??= this.#publishChanges().finally(() => {
      this.#work = undefined;
    });
  }

  async idle(): Promise<void> {
    await this.#work;
  }

  async #publishChanges(): Promise<void> {
    while (this.#hasChanged) {
      this.#hasChanged = false;
      try {
        await this.#publish();
      } catch (error) {
        const what = error instanceof GatewayRefusal ? 'not published' : 'not built';
        this.#show([`${what}: ${error instanceof Error ? error.message : String(error)}`]);
      }
    }
  }

  async #publish(): Promise<void> {
    const startedAtMs = Date.now();
    const artefact = await buildArtefact(readPackage(this.#root));
    const { name, version, digest } = artefact;
    if (digest === this.#liveDigest) return;
    await askGateway(this.#gateway.adminUrl, 'POST', '/plugin-packages', JSON.stringify(artefact));
    this.#liveDigest = digest;
    this.#show([`${name} ${version} is live after ${Date.now() - startedAtMs} ms (${digest.slice(0, 12)})`]);
  }
}

import {
  actionListResponse,
  actionResponse,
  createServerResponse,
  serverResponse,
  sshKeyResponse,
} from '#libs/contracts';
import { newUuid, sleep } from '#libs/kernel';
import { ApiClient } from '../../../apps/cli/up/api-client.ts';
import type { SshKey } from '../../../apps/cli/up/ssh.ts';

const POLL_MILLISECONDS = 250;
const DEADLINE_SECONDS = 900;

export interface ServedOrder {
  readonly serverId: number;
  readonly seconds: number;
}

/** Orders as any client of the API does: with a token, a key, and nothing that is only ours. */
export class Customer {
  private readonly api: ApiClient;
  private readonly url: string;
  private readonly token: string;
  private readonly key: SshKey;
  private keyId = 0;

  constructor(url: string, token: string, key: SshKey) {
    this.api = new ApiClient(url, token);
    this.url = url;
    this.token = token;
    this.key = key;
  }

  /** Gives the API the key, before any time is taken. */
  async registerKey(): Promise<void> {
    const body = { name: `bench-${newUuid()}`, public_key: await this.key.publicKey() };
    this.keyId = (await this.api.post('/ssh_keys', body, sshKeyResponse)).ssh_key.id;
  }

  async forgetKey(): Promise<void> {
    await this.remove(`/ssh_keys/${this.keyId}`);
  }

  /** Orders a Debian 12 and logs in as soon as the API shows the way in. */
  async orderAndLogIn(): Promise<ServedOrder> {
    const name = `bench-${newUuid().slice(0, 8)}`;
    const started = performance.now();
    const body = { name, server_type: 's1', image: 'debian-12', ssh_keys: [String(this.keyId)] };
    const { server } = await this.api.post('/servers', body, createServerResponse);
    try {
      const hostname = await this.key.logIn(await this.wayIn(server.id), ['hostname']);
      if (hostname !== name) throw new Error(`${name} says that its name is ${hostname}`);
      return { serverId: server.id, seconds: (performance.now() - started) / 1000 };
    } catch (error) {
      await this.remove(`/servers/${server.id}`);
      throw error;
    }
  }

  /** Deletes a server and waits until it is gone. */
  async deleteServer(serverId: number): Promise<void> {
    let { action } = actionResponse.parse(await this.remove(`/servers/${serverId}`));
    while (action.status === 'running') {
      await sleep(POLL_MILLISECONDS);
      ({ action } = await this.api.get(`/actions/${action.id}`, actionResponse));
    }
    if (action.status === 'error') throw new Error(`server ${serverId} stayed: ${action.error?.message}`);
  }

  private async wayIn(serverId: number) {
    const deadline = Date.now() + DEADLINE_SECONDS * 1000;
    while (Date.now() < deadline) {
      const { server } = await this.api.get(`/servers/${serverId}`, serverResponse);
      const ssh = server.servery.access.find(({ service }) => service === 'ssh');
      if (ssh && server.servery.host_key) {
        return { host: ssh.host, port: ssh.port, hostKey: server.servery.host_key };
      }
      await this.assertNotFailed(serverId);
      await sleep(POLL_MILLISECONDS);
    }
    throw new Error(`no way in to server ${serverId} within ${DEADLINE_SECONDS} s`);
  }

  private async assertNotFailed(serverId: number): Promise<void> {
    const path = `/servers/${serverId}/actions?status=error`;
    const [failed] = (await this.api.get(path, actionListResponse)).actions;
    if (failed) throw new Error(`${failed.command}: ${failed.error?.message}`);
  }

  private async remove(path: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await fetch(`${this.url}/v1${path}`, { method: 'DELETE', headers });
    if (!response.ok) throw new Error(`DELETE ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }
}

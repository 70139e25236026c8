import { Injectable } from '@nestjs/common';
import { CatalogService, type ServerType } from '#libs/catalog';
import type { ServerExtraWire, ServerWire } from '#libs/contracts';
import { type Image, ImagesService } from '#libs/images';
import { type Iso, IsosService } from '#libs/isos';
import { type Server, type ServerAccess, type ServerFacts, ServersService } from '#libs/servers';
import { VolumesService } from '#libs/volumes';
import {
  type CatalogContext,
  CatalogPresenter,
  presentDatacenter,
  presentLocation,
  presentServerType,
} from '../catalog/catalog.presenter.ts';
import { presentDevices, presentImage, presentSecrets } from '../catalog/image.presenter.ts';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';
import { presentIso } from '../isos/iso.presenter.ts';
import { presentPlan } from './backup-plan.presenter.ts';

interface Parts {
  readonly type: ServerType;
  readonly image: Image;
  readonly upgradedTo: Image | null;
  readonly facts: ServerFacts;
  readonly catalog: CatalogContext;
  readonly volumes: readonly number[];
  readonly iso: Iso | null;
}

/** Servers as the wire has them, with the rows that they name read together. */
@Injectable()
export class ServerPresenter {
  constructor(
    private readonly catalog: CatalogService,
    private readonly catalogPresenter: CatalogPresenter,
    private readonly images: ImagesService,
    private readonly servers: ServersService,
    private readonly volumes: VolumesService,
    private readonly isos: IsosService,
  ) {}

  async presentOne(server: Server): Promise<ServerWire> {
    const [presented] = await this.present([server]);
    if (!presented) throw new Error('one server in, one server out');
    return presented;
  }

  async present(servers: readonly Server[]): Promise<ServerWire[]> {
    if (servers.length === 0) return [];
    const [types, images, facts, catalog, volumes, isos] = await Promise.all([
      this.catalog.serverTypesByIds(servers.map(({ serverTypeId }) => serverTypeId)),
      this.images.byIds(servers.flatMap(({ imageId, upgradedTo }) => [imageId, upgradedTo ?? imageId])),
      this.servers.factsOf(servers),
      this.catalogPresenter.context(),
      this.volumes.idsByServer(servers.map(({ id }) => id)),
      this.isos.byIds(servers.flatMap(({ isoId }) => isoId ?? [])),
    ]);
    return servers.map((server) => {
      const parts = {
        type: types.find(({ id }) => id === server.serverTypeId),
        image: images.find(({ id }) => id === server.imageId),
        facts: facts.get(server.id),
      };
      if (!parts.type || !parts.image || !parts.facts) throw new Error(`server ${server.id} lacks a part`);
      return presentServer(server, {
        ...{ type: parts.type, image: parts.image, facts: parts.facts, catalog },
        upgradedTo: images.find(({ id }) => id === server.upgradedTo) ?? null,
        volumes: volumes.get(server.id) ?? [],
        iso: isos.find(({ id }) => id === server.isoId) ?? null,
      });
    });
  }
}

function presentServer(server: Server, parts: Parts): ServerWire {
  const { type, image, facts, catalog, volumes, iso } = parts;
  const location = catalog.locations.find(({ id }) => id === server.locationId);
  if (!location) throw new Error(`server ${server.id} is in an unknown location`);
  return {
    id: server.id,
    name: server.name,
    status: server.observed,
    created: wireTime(server.createdAt),
    public_net: {
      ipv4: server.ipv4 === null ? null : { id: 0, ip: server.ipv4, blocked: false, dns_ptr: '' },
      ipv6: null,
      floating_ips: [],
      firewalls: [],
    },
    private_net: [],
    server_type: presentServerType(type, catalog.locations),
    datacenter: presentDatacenter(location, catalog),
    location: presentLocation(location),
    image: presentImage(image),
    iso: iso && presentIso(iso),
    rescue_enabled: facts.waitingRescue !== null,
    locked: facts.locked,
    backup_window: facts.backupPlan && presentPlan(facts.backupPlan).backup_window,
    outgoing_traffic: null,
    ingoing_traffic: null,
    included_traffic: null,
    primary_disk_size: server.diskGib,
    protection: { delete: server.isDeleteProtected, rebuild: server.isRebuildProtected },
    labels: server.labels,
    volumes: [...volumes],
    load_balancers: [],
    placement_group: null,
    servery: presentExtra(server, parts),
  };
}

function presentExtra(server: Server, { image, upgradedTo, facts }: Parts): ServerExtraWire {
  const { appliance } = upgradedTo ?? image;
  const secrets = presentSecrets(appliance);
  const keyOrImage = server.credentialKind === 'password' ? 'none' : 'available';
  const withoutPassword = server.readyAt ? keyOrImage : 'pending';
  return {
    appliance: appliance.name,
    upgraded_to: upgradedTo && presentUpgrade(upgradedTo),
    order_id: facts.orderId,
    ready: server.readyAt !== null,
    ready_at: wireTimeOrNull(server.readyAt),
    verification: server.verifiedBy,
    devices: presentDevices(server.devices),
    host_key: server.hostKey,
    credentials: {
      kind: server.credentialKind,
      state: facts.credentials === 'none' ? withoutPassword : facts.credentials,
      expires_at: wireTimeOrNull(facts.credentialsExpireAt),
    },
    application_secrets:
      facts.application === 'none' || secrets.length === 0
        ? null
        : {
            state: facts.application,
            expires_at: wireTimeOrNull(facts.applicationExpiresAt),
            items: secrets,
          },
    access: server.access.map(presentAccess),
    suspension: facts.suspension && {
      reasons: [...facts.suspension.reasons],
      since: wireTime(facts.suspension.since),
    },
    network: server.network,
    holds_timers: server.holdsTimers,
    clone:
      server.clonedFrom === null
        ? null
        : { original_id: server.clonedFrom, exact: server.cloneKind === 'exact' },
    backup_plan: facts.backupPlan && presentPlan(facts.backupPlan),
    rescue: presentRescue(facts),
    reason: server.reason,
  };
}

function presentUpgrade({ id, recipeVersion, createdAt }: Image): ServerExtraWire['upgraded_to'] {
  return { image: id, version: recipeVersion ?? 0, created: wireTime(createdAt) };
}

/** The one that runs, where another one waits for the boot after. */
function presentRescue({ waitingRescue, runningRescue }: ServerFacts): ServerExtraWire['rescue'] {
  const rescue = runningRescue ?? waitingRescue;
  return (
    rescue && {
      state: runningRescue ? 'running' : 'waiting',
      host_key: rescue.hostKey,
      expires_at: runningRescue ? null : wireTimeOrNull(rescue.expiresAt),
      ssh_keys: rescue.sshPublicKeys.length,
    }
  );
}

function presentAccess({ service, host, port, command }: ServerAccess): ServerExtraWire['access'][number] {
  const isUrl = /^https?:/.test(command);
  return { service, host, port, ...(isUrl ? { url: command } : { command }) };
}

/** A port that an appliance serves. `protocol` names what speaks there; `name` is for people. */
export interface AppliancePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'http' | 'https' | 'ssh';
}

/** How a worker sees from outside that the appliance does its work. */
export type HealthCheck =
  | { readonly type: 'http'; readonly port: number; readonly path: string; readonly status: number }
  | { readonly type: 'tcp'; readonly port: number };

/** A secret of the application: made anew for each server, and shown to its owner once. */
export interface ApplianceSecret {
  /** In the guest, its value is `/etc/servery/secrets/<name>` until the application has taken it. */
  readonly name: string;
  readonly title: string;
  readonly username?: string | undefined;
}

/** `export`: to take a server, or the image, home as a file. */
export type LicenceForbids = 'export';

/** What the shop window and the workflows need to know of a recipe; kept with each build of its image. */
export interface Appliance {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly description: string;
  readonly category: string;
  readonly iconSvg: string;
  /** Of the picture that shows a server of it; missing: there is none. */
  readonly screenshot?: { readonly widthPx: number; readonly heightPx: number };
  readonly osFlavor: string;
  readonly osVersion: string;
  readonly licence: string;
  /** What its licence does not allow its users; missing: nothing of this kind. */
  readonly licenceForbids?: readonly LicenceForbids[];
  readonly ports: readonly AppliancePort[];
  readonly healthChecks: readonly HealthCheck[];
  /** Missing in what was published before there were any. */
  readonly secrets?: readonly ApplianceSecret[];
  readonly minimumMemoryMib: number;
  readonly minimumDiskGib: number;
  /** Of the catalog's appliance that its servers are billed as where it is another one; missing: its own name. */
  readonly billedAs?: string;
  /** It was made elsewhere: nobody promises a guest agent in it. */
  readonly isForeign?: boolean;
  /** A script of its owner runs at the first boot of each server: until it has ended well, none is ready. */
  readonly runsFirstBoot?: boolean;
  /** What servers are rescued from: no catalog shows it. */
  readonly isRescue?: boolean;
}

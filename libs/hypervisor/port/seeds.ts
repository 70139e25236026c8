/** A YAML document as data; drivers write it through a YAML serializer only. */
export type YamlDocument = Readonly<Record<string, unknown>>;

/** The NoCloud seed: what cloud-init reads at first boot. May hold secrets, hence `detachSeed`. */
export interface SeedSpec {
  readonly volumeName: string;
  /** Data becomes a `#cloud-config` document; a string (see `composeUserData`) goes in as it is. */
  readonly userData: YamlDocument | string;
  /** Defaults: cloud-init takes what user data does not say. */
  readonly vendorData?: YamlDocument;
  /** Must carry `instance-id`. */
  readonly metaData: YamlDocument & { readonly 'instance-id': string };
  /** cloud-init network configuration, version 2, without the outer `network:` key. */
  readonly networkConfig: YamlDocument;
  /** Further files by name, as they are: for guests that have no cloud-init. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * `released`: the guest let go, the seed is erased and deleted. `held`: the guest did not let go; the seed is
 * erased, gone from the domain's definition, and its empty volume can be deleted once the domain has stopped.
 */
export type SeedDetachment = 'released' | 'held';

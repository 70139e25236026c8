import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What images start on, what can be seen of their guests, keys for their root, and hosts that did not take them. */
export class Devices1760001200000 implements MigrationInterface {
  name = 'Devices1760001200000';

  async up(db: QueryRunner): Promise<void> {
    const devices = `jsonb NOT NULL DEFAULT '{"firmware": "bios", "diskBus": "virtio", "nicModel": "virtio"}'`;
    await db.query(`
      ALTER TABLE images
        ADD COLUMN devices ${devices},
        ADD CONSTRAINT images_devices CHECK (
          devices ->> 'firmware' IN ('bios', 'uefi') AND devices ->> 'diskBus' IN ('virtio', 'sata', 'ide')
          AND devices ->> 'nicModel' IN ('virtio', 'e1000e')),
        ADD COLUMN verification text NOT NULL DEFAULT 'identity'
          CHECK (verification IN ('identity', 'ssh', 'running'));
      COMMENT ON COLUMN images.verification IS 'what is looked for before a server of it is handed over';

      ALTER TABLE servers
        ADD COLUMN devices ${devices},
        ADD COLUMN verified_by text CHECK (verified_by IN ('identity', 'ssh', 'running')),
        DROP CONSTRAINT servers_credential_kind_check,
        ADD CONSTRAINT servers_credential_kind_check CHECK (credential_kind IN ('ssh_key', 'password', 'image'));
      COMMENT ON COLUMN servers.devices IS 'of its image when its disk was made';
      COMMENT ON COLUMN servers.verified_by IS 'what was seen of it when it was handed over; null: it was not yet';
      UPDATE servers SET verified_by = 'identity' WHERE ready_at IS NOT NULL;

      UPDATE images SET import_report = jsonb_set(import_report, '{guest}', CASE
          WHEN jsonb_typeof(import_report -> 'guest') = 'object' THEN (import_report -> 'guest') - 'hasVirtioDisk'
            || jsonb_build_object('hasSshServer', true, 'readsSeed', false, 'drivers',
                 CASE WHEN (import_report #>> '{guest,hasVirtioDisk}')::boolean THEN '["virtio_blk"]'::jsonb ELSE '[]' END)
          ELSE 'null' END) || '{"boot": null, "fileSystems": [], "sshKeys": 0}'
        WHERE import_report IS NOT NULL;

      ALTER TABLE image_imports ADD COLUMN ssh_public_keys text[] NOT NULL DEFAULT '{}';
      COMMENT ON COLUMN image_imports.ssh_public_keys IS 'to be written into the disk, for its root';

      CREATE TABLE image_refusals (
        image_id bigint NOT NULL REFERENCES images ON DELETE CASCADE,
        host_id bigint NOT NULL REFERENCES hosts ON DELETE CASCADE,
        code text NOT NULL,
        message text NOT NULL,
        tried_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (image_id, host_id)
      );
      COMMENT ON TABLE image_refusals IS 'hosts that did not take an imported image when they were last asked';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM images WHERE deleted_at IS NULL AND (verification <> 'identity'
                     OR devices <> '{"firmware": "bios", "diskBus": "virtio", "nicModel": "virtio"}'))
          OR EXISTS (SELECT FROM servers WHERE deleted_at IS NULL AND credential_kind = 'image') THEN
          RAISE EXCEPTION 'there are images that the former release would not start: delete them first';
        END IF;
      END $$;
      DROP TABLE image_refusals;
      ALTER TABLE image_imports DROP COLUMN ssh_public_keys;
      UPDATE images SET import_report = jsonb_set(import_report, '{guest}', CASE
          WHEN jsonb_typeof(import_report -> 'guest') = 'object'
            THEN (import_report -> 'guest') - 'drivers' - 'hasSshServer' - 'readsSeed'
              || jsonb_build_object('hasVirtioDisk', import_report #> '{guest,drivers}' ? 'virtio_blk')
          ELSE 'null' END) - 'boot' - 'fileSystems' - 'sshKeys'
        WHERE import_report IS NOT NULL;
      UPDATE servers SET credential_kind = 'password' WHERE credential_kind = 'image';
      ALTER TABLE servers
        DROP COLUMN devices, DROP COLUMN verified_by,
        DROP CONSTRAINT servers_credential_kind_check,
        ADD CONSTRAINT servers_credential_kind_check CHECK (credential_kind IN ('ssh_key', 'password'));
      ALTER TABLE images DROP COLUMN devices, DROP COLUMN verification;
    `);
  }
}

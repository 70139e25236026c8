import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which image of its recipe a server, and what is frozen of it, has become like by an upgrade. */
export class UpgradedServers1760001820000 implements MigrationInterface {
  name = 'UpgradedServers1760001820000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE servers ADD COLUMN upgraded_to bigint REFERENCES images;
      COMMENT ON COLUMN servers.upgraded_to IS 'null: it is as image_id, which its disk stands on';
      ALTER TABLE frozen_disks ADD COLUMN upgraded_to bigint REFERENCES images;
      ALTER TABLE rehearsals ADD COLUMN upgrade_from bigint REFERENCES images,
        ADD COLUMN upgrade_to bigint REFERENCES images,
        ADD CONSTRAINT rehearsals_upgrade CHECK ((upgrade_from IS NULL) = (upgrade_to IS NULL));
      COMMENT ON COLUMN rehearsals.upgrade_from IS 'null: its script is of its owner';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE rehearsals DROP COLUMN upgrade_from, DROP COLUMN upgrade_to;
      ALTER TABLE frozen_disks DROP COLUMN upgraded_to;
      ALTER TABLE servers DROP COLUMN upgraded_to;
    `);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Recipes of customers in all their versions, the making of images of them, and which images those are. */
export class Recipes1760001700000 implements MigrationInterface {
  name = 'Recipes1760001700000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE recipes (
        id bigint PRIMARY KEY,
        project_id bigint NOT NULL REFERENCES projects,
        name text COLLATE "C" NOT NULL,
        version int NOT NULL DEFAULT 1 CHECK (version > 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      );
      COMMENT ON COLUMN recipes.version IS 'the newest one';
      CREATE UNIQUE INDEX recipes_name ON recipes (project_id, name) WHERE deleted_at IS NULL;

      CREATE TABLE recipe_versions (
        recipe_id bigint NOT NULL REFERENCES recipes ON DELETE CASCADE,
        version int NOT NULL,
        spec jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (recipe_id, version)
      );
      COMMENT ON TABLE recipe_versions IS 'as their owner wrote them; a version never changes';

      CREATE TABLE cooks (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES accounts,
        project_id bigint NOT NULL REFERENCES projects,
        recipe_id bigint NOT NULL REFERENCES recipes,
        recipe_name text NOT NULL,
        version int NOT NULL,
        currency text NOT NULL,
        is_forced boolean NOT NULL,
        new_image_id bigint NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'cooking', 'available', 'failed', 'cancelled')),
        stage text NOT NULL DEFAULT 'waiting',
        percent int NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
        message text NOT NULL DEFAULT '',
        cancel_asked_at timestamptz,
        error_code text,
        error_message text,
        error_fields jsonb,
        fingerprint char(64),
        parts jsonb,
        former_image_id bigint,
        image_id bigint,
        is_unchanged boolean,
        changes jsonb,
        kept_bytes int NOT NULL DEFAULT 0,
        cut_bytes int NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        worked_seconds float8 NOT NULL DEFAULT 0,
        finished_at timestamptz,
        FOREIGN KEY (recipe_id, version) REFERENCES recipe_versions
      );
      COMMENT ON COLUMN cooks.new_image_id IS 'what the image is called that it makes; image_id is null until there is one, and another one''s where it made the same bytes';
      COMMENT ON COLUMN cooks.cancel_asked_at IS 'its owner wants no image any more: the worker that cooks looks here';
      COMMENT ON COLUMN cooks.fingerprint IS 'of recipe and packages together: what has the same has the same bytes';
      COMMENT ON COLUMN cooks.parts IS 'digests of the files of the recipe, its components and its base by path, and what becomes of units';
      COMMENT ON COLUMN cooks.former_image_id IS 'the image that the recipe had before; null: it had none';
      COMMENT ON COLUMN cooks.worked_seconds IS 'in all tries, without the time that it waited for other cooks: what its deadline counts';
      COMMENT ON COLUMN cooks.changes IS 'against the former image';
      CREATE INDEX cooks_of_recipe ON cooks (recipe_id, created_at);
      CREATE INDEX cooks_of_project ON cooks (project_id, created_at);
      CREATE INDEX cooks_unfinished ON cooks (project_id) WHERE finished_at IS NULL;

      CREATE TABLE cook_output (
        cook_id bigint NOT NULL REFERENCES cooks ON DELETE CASCADE,
        position int NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (cook_id, position)
      );
      COMMENT ON TABLE cook_output IS 'what cooks printed, in slices; position is that of the first byte';

      ALTER TABLE images ADD COLUMN recipe_id bigint, ADD COLUMN recipe_version int, ADD COLUMN cook_id bigint;
      COMMENT ON COLUMN images.recipe_id IS 'the recipe of the project that it was cooked of; null: of none';
      CREATE INDEX images_of_recipe ON images (recipe_id, created_at) WHERE recipe_id IS NOT NULL;
      ALTER TABLE actions ADD COLUMN cook_id bigint;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM cooks WHERE finished_at IS NULL) THEN
          RAISE EXCEPTION 'there are cooks under way, which the former release does not know: let them end first';
        END IF;
      END $$;
      DELETE FROM actions WHERE cook_id IS NOT NULL;
      ALTER TABLE actions DROP COLUMN cook_id;
      ALTER TABLE images DROP COLUMN recipe_id, DROP COLUMN recipe_version, DROP COLUMN cook_id;
      DROP TABLE cook_output, cooks, recipe_versions, recipes;
    `);
  }
}

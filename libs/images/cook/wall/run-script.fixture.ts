import { WallGround } from './behind-wall.fixture.ts';

/** A run of its own on a machine where no test runs: a script and limits as arguments, the end as a line of JSON. */
const [script = '', limits = '{}'] = process.argv.slice(2);
await using ground = await WallGround.make();
console.log(JSON.stringify(await ground.run(script, { limits: JSON.parse(limits) })));

import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse, placeOf, type Source, sources, walk } from './sources.ts';

const INPUTS = ['Body', 'Query', 'Param', 'RawBody'];
const RELATIONS = ['OneToOne', 'OneToMany', 'ManyToOne', 'ManyToMany', 'JoinColumn', 'JoinTable'];

/** Name and arguments of a decorator that is called. */
function called(decorator: ts.Decorator): { name: string; args: readonly ts.Expression[] } | undefined {
  const call = decorator.expression;
  if (!ts.isCallExpression(call) || !ts.isIdentifier(call.expression)) return undefined;
  return { name: call.expression.text, args: call.arguments };
}

function hasSchema(args: readonly ts.Expression[]): boolean {
  return args.some(
    (arg) =>
      ts.isObjectLiteralExpression(arg) &&
      arg.properties.some((property) => property.name !== undefined && property.name.getText() === 'schema'),
  );
}

/** Inputs of a controller that no schema checks: the validation pipe lets them pass as they are. */
function uncheckedInputs(source: Source): string[] {
  const found: string[] = [];
  walk(source.tree, (node) => {
    if (!ts.isParameter(node)) return;
    for (const decorator of ts.getDecorators(node) ?? []) {
      const call = called(decorator);
      if (call && INPUTS.includes(call.name) && !hasSchema(call.args)) found.push(placeOf(source, node));
    }
  });
  return found;
}

/** Decorators by which an entity would hold another one. */
function relations(source: Source): string[] {
  const found: string[] = [];
  walk(source.tree, (node) => {
    if (!ts.isDecorator(node)) return;
    const call = called(node);
    if (call && RELATIONS.includes(call.name)) found.push(placeOf(source, node));
  });
  return found;
}

/** `forwardRef`, and `import()` of our own code, by which a cycle would be dodged. */
function dodges(source: Source): string[] {
  const found: string[] = [];
  walk(source.tree, (node) => {
    if (ts.isIdentifier(node) && node.text === 'forwardRef') found.push(placeOf(source, node));
    if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return;
    const target = node.arguments[0];
    if (target && ts.isStringLiteral(target) && /^[.#]/.test(target.text)) found.push(placeOf(source, node));
  });
  return found;
}

describe('Nest', () => {
  it('sees an input without a schema', () => {
    const controller = `class C {
      a(@Body({ schema: s }) body: X, @Param('id', { schema }) id: Id) {}
      b(@Body() body: X, @Query('page') page: string, @Param('id', SomePipe) id: string) {}
    }`;
    expect(uncheckedInputs(parse('c.ts', controller))).toEqual(['c.ts:3', 'c.ts:3', 'c.ts:3']);
  });

  it('sees relations, forwardRef and lazy imports of ours', () => {
    expect(relations(parse('e.ts', 'class E { @ManyToOne(() => A) a!: A }'))).toEqual(['e.ts:1']);
    expect(dodges(parse('m.ts', "@Inject(forwardRef(() => A)) class M {}\nawait import('./a.ts');"))).toEqual(
      ['m.ts:1', 'm.ts:2'],
    );
    expect(dodges(parse('m.ts', "await import('node:fs');"))).toEqual([]);
  });

  it('has a schema for every input of every controller', async () => {
    expect((await sources('apps/api', 'apps/worker', 'libs')).flatMap(uncheckedInputs)).toEqual([]);
  });

  it('has no forwardRef and no lazy import of ours', async () => {
    expect((await sources('apps/api', 'apps/worker', 'libs')).flatMap(dodges)).toEqual([]);
  });

  it('has entities that name each other by id', async () => {
    expect((await sources('libs')).flatMap(relations)).toEqual([]);
  });
});

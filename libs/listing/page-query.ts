import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { LabelRequirement, LabelSelector } from './label-selector.ts';
import { type ListQuery, type Page, unknownField } from './list-query.ts';

/** Which property paths (`server.name`) of the query builder answer which wire names. */
export interface ListColumns {
  /** The unique path that every order ends with, so that pages never overlap: `server.id`. */
  readonly id: string;
  /** The jsonb path that `label_selector` looks at. */
  readonly labels?: string;
  /** What is called `id` here is a bigint. */
  readonly filters: Readonly<Record<string, string>>;
  readonly sorts: Readonly<Record<string, string>>;
}

/**
 * Adds a client's filters, labels, order and page to a query builder (without joins) and runs it.
 * @throws ListingError `invalid_filter`, `invalid_sort` for a name that `columns` does not have.
 */
export async function pageOf<T extends ObjectLiteral>(
  builder: SelectQueryBuilder<T>,
  query: ListQuery,
  columns: ListColumns,
): Promise<Page<T>> {
  for (const [index, [name, values]] of Object.entries(query.filters).entries()) {
    const path = pathOf(columns.filters, name, 'invalid_filter');
    if (name === 'id') addIds(builder, path, values);
    else builder.andWhere(`CAST(${path} AS text) IN (:...filter${index})`, { [`filter${index}`]: values });
  }
  if (query.labelSelector && columns.labels) addLabels(builder, columns.labels, query.labelSelector);
  for (const sort of query.sort) {
    builder.addOrderBy(
      pathOf(columns.sorts, sort.field, 'invalid_sort'),
      sort.direction === 'asc' ? 'ASC' : 'DESC',
    );
  }
  const sortedById = query.sort.some((sort) => columns.sorts[sort.field] === columns.id);
  if (!sortedById) builder.addOrderBy(columns.id, 'ASC');
  builder.limit(query.perPage).offset((query.page - 1) * query.perPage);
  const [items, total] = await builder.getManyAndCount();
  return { items, total };
}

/** SQL of one label requirement with named parameters (`:name`), for a jsonb column of strings. */
export function labelCondition(
  path: string,
  requirement: LabelRequirement,
  name: string,
): { sql: string; parameters: Record<string, unknown> } {
  const key = { [`${name}Key`]: requirement.key };
  const has = `jsonb_exists(${path}, :${name}Key)`;
  switch (requirement.operator) {
    case 'exists':
      return { sql: has, parameters: key };
    case 'missing':
      return { sql: `NOT ${has}`, parameters: key };
    case 'in':
    case 'not_in': {
      const values = { [`${name}Values`]: requirement.values };
      const among = `${has} AND ${path} ->> :${name}Key IN (:...${name}Values)`;
      return {
        sql: requirement.operator === 'in' ? `(${among})` : `NOT (${among})`,
        parameters: { ...key, ...values },
      };
    }
  }
}

/** By the index of the ids: clients that wait for actions ask again and again. What is no id is nobody's. */
function addIds<T extends ObjectLiteral>(
  builder: SelectQueryBuilder<T>,
  path: string,
  values: readonly string[],
): void {
  const ids = values.filter((value) => /^[1-9]\d{0,15}$/.test(value));
  if (ids.length === 0) builder.andWhere('FALSE');
  else builder.andWhere(`${path} IN (:...ids)`, { ids });
}

function addLabels<T extends ObjectLiteral>(
  builder: SelectQueryBuilder<T>,
  path: string,
  selector: LabelSelector,
): void {
  for (const [index, requirement] of selector.entries()) {
    const { sql, parameters } = labelCondition(path, requirement, `label${index}`);
    builder.andWhere(sql, parameters);
  }
}

function pathOf(
  paths: Readonly<Record<string, string>>,
  name: string,
  code: 'invalid_filter' | 'invalid_sort',
): string {
  const path = Object.hasOwn(paths, name) ? paths[name] : undefined;
  if (path === undefined) throw unknownField(name, code, Object.keys(paths));
  return path;
}

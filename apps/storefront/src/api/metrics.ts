import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { type MetricsWire, metricTypes, serverMetricsResponse } from '#libs/contracts';
import { call } from './client.ts';

/** All that is measured of a server, from some hours ago until now. */
export function serverMetricsQuery(id: number, hours: number) {
  return queryOptions({
    queryKey: ['servers', id, 'metrics', hours],
    queryFn: async ({ signal }): Promise<MetricsWire> => {
      const end = new Date();
      const start = new Date(end.getTime() - hours * 3_600_000);
      const period = `start=${start.toISOString()}&end=${end.toISOString()}`;
      const path = `/servers/${id}/metrics?type=${metricTypes.join(',')}&${period}`;
      return (await call(path, serverMetricsResponse, { signal })).metrics;
    },
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}

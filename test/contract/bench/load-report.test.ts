/** Reading what the load generators print. */
import { describe, expect, it } from 'vitest';
import { parseAutocannonReport, parseWrkReport } from '../../../bench/load-report.ts';
import { parseAcceptedConnections } from '../../../bench/upstream.ts';

const WRK = `Running 5s test @ http://127.0.0.1:8000/plain
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.61ms    1.20ms  40.11ms   91.40%
    Req/Sec    17.90k     1.10k   19.80k    72.00%
  Latency Distribution
     50%  500.00us
     75%    3.99ms
     90%    4.62ms
     99%    1.02s
  89177 requests in 5.01s, 25.69MB read
Requests/sec:  17812.34
Transfer/sec:      5.13MB
`;

describe('the report of wrk', () => {
  it('gives counts and latencies in milliseconds, whatever the unit', () => {
    expect(parseWrkReport(WRK)).toEqual({
      requests: 89_177,
      requestsPerSecond: 17_812.34,
      p50Ms: 0.5,
      p99Ms: 1_020,
      failures: 0,
    });
  });

  it('counts connection errors, timeouts and refused requests as failures', () => {
    const text = WRK.replace(
      'Requests/sec:',
      '  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\nRequests/sec:',
    );
    expect(parseWrkReport(text).failures).toBe(54_321);
  });

  it('is refused with its text when a figure is missing', () => {
    expect(() => parseWrkReport('unable to connect to 127.0.0.1:1')).toThrow('unable to connect');
  });
});

describe('the report of autocannon', () => {
  const report = {
    requests: { total: 1_000, average: 200.5 },
    latency: { p50: 3, p99: 11 },
    errors: 1,
    timeouts: 2,
    '2xx': 900,
    '3xx': 50,
    '4xx': 30,
    '5xx': 20,
  };

  it('gives the same figures as that of wrk', () => {
    expect(parseAutocannonReport(JSON.stringify(report))).toEqual({
      requests: 1_000,
      requestsPerSecond: 200.5,
      p50Ms: 3,
      p99Ms: 11,
      failures: 53,
    });
  });

  it('is refused when a figure is missing', () => {
    expect(() => parseAutocannonReport('{"requests":{"total":1}}')).toThrow('requests.average');
  });
});

describe('the status page of the upstream', () => {
  it('gives the connections accepted so far', () => {
    const page =
      'Active connections: 3 \nserver accepts handled requests\n 17 17 90000 \nReading: 0 Writing: 1 Waiting: 2 \n';
    expect(parseAcceptedConnections(page)).toBe(17);
    expect(() => parseAcceptedConnections('<html>')).toThrow('not a status page');
  });
});

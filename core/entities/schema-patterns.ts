/**
 * Wherever values are held against schemas here, the patterns in them run in linear time: some are a stranger's, and so
 * may the value be, as a default. With V8's ordinary engine alone one of them could stop the control process for good.
 */
import { compilePatternsWith } from '../../sdk/schema/index.ts';
import { compileSchemaRegex } from '../router/path-regex.ts';

compilePatternsWith((source) => compileSchemaRegex(source).regex);

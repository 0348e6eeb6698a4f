//! Arrow arrays to lanes: nested columns taken apart, every width of number made one.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    RunEndIndexType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, LargeBinaryArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::batch::{Blobs, Column, Instants, Lane, Rows};
use super::{Format, ReadError};
use crate::limits::{DEPTH, LIST_ELEMENTS};

/// Takes the column `path` apart and shows each part, with its path, to `each`.
///
/// # Errors
/// When it nests too deep, or a part is of a type that no lane holds.
pub(crate) fn flatten(
    path: &str,
    array: &ArrayRef,
    rows: Rows,
    each: &mut dyn FnMut(&str, Column<'static>),
) -> Result<(), ReadError> {
    Flatten { each, depth: 0 }.array(path, array, &rows, None)
}

/// The paths that [`flatten`] makes of a column of this type.
pub(crate) fn paths(
    path: &str,
    kind: &DataType,
    depth: usize,
    out: &mut Vec<String>,
) -> Result<(), ReadError> {
    if depth > DEPTH {
        return Err(ReadError::TooDeep { place: format!("column `{path}`") });
    }
    match kind {
        DataType::Struct(fields) => {
            for field in fields {
                paths(&format!("{path}.{}", field.name()), field.data_type(), depth + 1, out)?;
            }
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => {
            out.push(path.to_owned());
            paths(&format!("{path}[]"), field.data_type(), depth + 1, out)?;
        }
        _ => out.push(path.to_owned()),
    }
    Ok(())
}

struct Flatten<'e> {
    each: &'e mut dyn FnMut(&str, Column<'static>),
    depth: usize,
}

impl Flatten<'_> {
    /// `outer` says where what is around this array is null; then so is it.
    fn array(
        &mut self,
        path: &str,
        array: &ArrayRef,
        rows: &Rows,
        outer: Option<&NullBuffer>,
    ) -> Result<(), ReadError> {
        if self.depth > DEPTH {
            return Err(ReadError::TooDeep { place: format!("column `{path}`") });
        }
        self.depth += 1;
        let nulls = NullBuffer::union(array.nulls(), outer);
        match array.data_type() {
            DataType::Struct(fields) => {
                let parts = array.as_struct();
                for (field, part) in fields.iter().zip(parts.columns()) {
                    self.array(&format!("{path}.{}", field.name()), part, rows, nulls.as_ref())?;
                }
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let bounds: Vec<usize> =
                    list.value_offsets().iter().map(|at| place(i64::from(*at))).collect();
                self.list(path, list.values(), &bounds, rows, nulls)?;
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let bounds: Vec<usize> = list.value_offsets().iter().map(|at| place(*at)).collect();
                self.list(path, list.values(), &bounds, rows, nulls)?;
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                let bounds: Vec<usize> = map.value_offsets().iter().map(|at| place(i64::from(*at))).collect();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                self.list(path, &entries, &bounds, rows, nulls)?;
            }
            DataType::FixedSizeList(_, size) => {
                let list = array.as_fixed_size_list();
                let size = usize::try_from(*size).unwrap_or(0);
                let bounds: Vec<usize> = (0..=list.len()).map(|at| at * size).collect();
                self.list(path, list.values(), &bounds, rows, nulls)?;
            }
            _ => {
                let lane = lane_of(array, nulls).ok_or_else(|| ReadError::Unsupported {
                    column: path.to_owned(),
                    kind: format!(
                        "of type `{}`",
                        array.data_type().to_string().chars().take(80).collect::<String>()
                    ),
                })?;
                (self.each)(path, Column { rows: rows.clone(), lane });
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// `bounds` says where in `values` each list begins, and where the last one ends.
    fn list(
        &mut self,
        path: &str,
        values: &ArrayRef,
        bounds: &[usize],
        rows: &Rows,
        nulls: Option<NullBuffer>,
    ) -> Result<(), ReadError> {
        let mut lengths = Vec::with_capacity(bounds.len());
        let (mut total, mut gaps) = (0_u64, false);
        for (at, pair) in bounds.windows(2).enumerate() {
            let [begin, end] = pair else { continue };
            let mut length = end.saturating_sub(*begin);
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
                // What lies under a null list is nobody's.
                gaps |= length > 0;
                length = 0;
            }
            total = total.saturating_add(length as u64);
            lengths.push(u32::try_from(length).unwrap_or(u32::MAX));
        }
        let within = values.len() as u64;
        if total.max(if gaps { within } else { 0 }) > LIST_ELEMENTS {
            // Elements without bytes of their own cost a file nothing.
            let column = Some(path.to_owned());
            let (what, allowed) = ("lists with elements", LIST_ELEMENTS);
            return Err(ReadError::Limit {
                format: Format::Arrow,
                column,
                what,
                got: total.max(within),
                allowed,
            });
        }
        let mut of = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
        for (at, length) in lengths.iter().enumerate() {
            let row = match rows {
                Rows::From(_) => u32::try_from(at).unwrap_or(u32::MAX),
                Rows::Of(_, rows) => rows.get(at).copied().unwrap_or_default(),
            };
            of.extend(std::iter::repeat_n(row, *length as usize));
        }
        let (first, last) = (bounds.first().copied().unwrap_or(0), bounds.last().copied().unwrap_or(0));
        let elements = if gaps {
            let mut kept = vec![false; values.len()];
            for (pair, length) in bounds.windows(2).zip(&lengths) {
                if let ([begin, end], 1..) = (pair, *length) {
                    kept.get_mut(*begin..*end).unwrap_or_default().fill(true);
                }
            }
            arrow_select::filter::filter(values, &BooleanArray::from(kept))
                .map_err(|error| ReadError::damaged(Format::Arrow, &error))?
        } else {
            values.slice(first, last.saturating_sub(first))
        };
        (self.each)(path, Column { rows: rows.clone(), lane: Lane::Lists(lengths, nulls) });
        let first_row = match rows {
            Rows::From(first) | Rows::Of(first, _) => *first,
        };
        self.array(&format!("{path}[]"), &elements, &Rows::Of(first_row, Arc::new(of)), None)
    }
}

fn place(offset: i64) -> usize {
    usize::try_from(offset).unwrap_or(0)
}

/// A plain array as a lane.
fn lane_of(array: &ArrayRef, nulls: Option<NullBuffer>) -> Option<Lane<'static>> {
    Some(match array.data_type() {
        DataType::Null => Lane::Nulls(array.len()),
        DataType::Boolean => Lane::Booleans(array.as_boolean().values().clone(), nulls),
        DataType::Int8 => integers::<Int8Type>(array, nulls),
        DataType::Int16 => integers::<Int16Type>(array, nulls),
        DataType::Int32 => integers::<Int32Type>(array, nulls),
        DataType::Int64 => Lane::Integers(array.as_primitive::<Int64Type>().values().clone(), nulls),
        DataType::UInt8 => integers::<UInt8Type>(array, nulls),
        DataType::UInt16 => integers::<UInt16Type>(array, nulls),
        DataType::UInt32 => integers::<UInt32Type>(array, nulls),
        DataType::UInt64 => unsigned(array.as_primitive::<UInt64Type>().values(), nulls),
        DataType::Float16 => floats::<Float16Type>(array, nulls, |value| value.to_f64()),
        DataType::Float32 => floats::<Float32Type>(array, nulls, f64::from),
        DataType::Float64 => Lane::Floats(array.as_primitive::<Float64Type>().values().clone(), nulls),
        DataType::Date32 => Lane::Days(array.as_primitive::<Date32Type>().values().clone(), nulls),
        DataType::Date64 => {
            let instants = array.as_primitive::<Date64Type>().values().clone();
            Lane::Instants(Instants { values: instants, per_second: 1_000, zoned: false, nulls })
        }
        DataType::Timestamp(unit, zone) => instants(array, *unit, zone.is_some(), nulls),
        DataType::Time32(TimeUnit::Second) => times::<Time32SecondType>(array, nulls, 1),
        DataType::Time32(_) => times::<Time32MillisecondType>(array, nulls, 1_000),
        DataType::Time64(TimeUnit::Microsecond) => times::<Time64MicrosecondType>(array, nulls, 1_000_000),
        DataType::Time64(_) => times::<Time64NanosecondType>(array, nulls, 1_000_000_000),
        DataType::Duration(TimeUnit::Second) => integers::<DurationSecondType>(array, nulls),
        DataType::Duration(TimeUnit::Millisecond) => integers::<DurationMillisecondType>(array, nulls),
        DataType::Duration(TimeUnit::Microsecond) => integers::<DurationMicrosecondType>(array, nulls),
        DataType::Duration(TimeUnit::Nanosecond) => integers::<DurationNanosecondType>(array, nulls),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale, nulls),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale, nulls),
        DataType::Decimal128(_, scale) => {
            Lane::Decimals(array.as_primitive::<Decimal128Type>().values().clone(), *scale, nulls)
        }
        DataType::Decimal256(_, scale) => wide_decimals(array, *scale, nulls),
        DataType::Utf8 => Lane::Texts(small(array.as_string::<i32>().clone().into(), nulls)),
        DataType::LargeUtf8 => Lane::Texts(large(array.as_string::<i64>().clone().into(), nulls)),
        DataType::Utf8View => Lane::Texts(view(array.as_string_view().clone().to_binary_view(), nulls)),
        DataType::Binary => Lane::Bytes(small(array.as_binary::<i32>().clone(), nulls)),
        DataType::LargeBinary => Lane::Bytes(large(array.as_binary::<i64>().clone(), nulls)),
        DataType::BinaryView => Lane::Bytes(view(array.as_binary_view().clone(), nulls)),
        DataType::FixedSizeBinary(_) if array.nulls() == nulls.as_ref() => {
            Lane::Bytes(Blobs::Fixed(array.as_fixed_size_binary().clone()))
        }
        DataType::FixedSizeBinary(_) => {
            let plain: BinaryArray = array.as_fixed_size_binary().iter().collect();
            Lane::Bytes(small(plain, nulls))
        }
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => dictionary::<Int8Type>(array, nulls)?,
            DataType::Int16 => dictionary::<Int16Type>(array, nulls)?,
            DataType::Int32 => dictionary::<Int32Type>(array, nulls)?,
            DataType::Int64 => dictionary::<Int64Type>(array, nulls)?,
            DataType::UInt8 => dictionary::<UInt8Type>(array, nulls)?,
            DataType::UInt16 => dictionary::<UInt16Type>(array, nulls)?,
            DataType::UInt32 => dictionary::<UInt32Type>(array, nulls)?,
            DataType::UInt64 => dictionary::<UInt64Type>(array, nulls)?,
            _ => return None,
        },
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array, nulls)?,
            DataType::Int32 => runs::<Int32Type>(array, nulls)?,
            DataType::Int64 => runs::<Int64Type>(array, nulls)?,
            _ => return None,
        },
        _ => return None,
    })
}

fn integers<T: ArrowPrimitiveType>(array: &ArrayRef, nulls: Option<NullBuffer>) -> Lane<'static>
where
    T::Native: Into<i64>,
{
    Lane::Integers(array.as_primitive::<T>().values().iter().map(|value| (*value).into()).collect(), nulls)
}

/// Beyond the 63 bits of an integer they are numbers, as CSV has it.
fn unsigned(values: &ScalarBuffer<u64>, nulls: Option<NullBuffer>) -> Lane<'static> {
    if values.iter().all(|value| i64::try_from(*value).is_ok()) {
        return Lane::Integers(
            values.iter().map(|value| i64::try_from(*value).unwrap_or_default()).collect(),
            nulls,
        );
    }
    Lane::Decimals(values.iter().map(|value| i128::from(*value)).collect(), 0, nulls)
}

fn floats<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    nulls: Option<NullBuffer>,
    widen: impl Fn(T::Native) -> f64,
) -> Lane<'static> {
    Lane::Floats(array.as_primitive::<T>().values().iter().map(|value| widen(*value)).collect(), nulls)
}

fn instants(array: &ArrayRef, unit: TimeUnit, zoned: bool, nulls: Option<NullBuffer>) -> Lane<'static> {
    let (values, per_second) = match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values().clone(), 1),
        TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values().clone(), 1_000),
        TimeUnit::Microsecond => {
            (array.as_primitive::<TimestampMicrosecondType>().values().clone(), 1_000_000)
        }
        TimeUnit::Nanosecond => {
            (array.as_primitive::<TimestampNanosecondType>().values().clone(), 1_000_000_000)
        }
    };
    Lane::Instants(Instants { values, per_second, zoned, nulls })
}

/// The time of a day has no kind of its own; it is the text that CSV writes.
fn times<T: ArrowPrimitiveType>(array: &ArrayRef, nulls: Option<NullBuffer>, per_second: i64) -> Lane<'static>
where
    T::Native: Into<i64>,
{
    let texts: BinaryArray =
        array.as_primitive::<T>().values().iter().map(|value| Some(time(*value, per_second))).collect();
    Lane::Texts(small(texts, nulls))
}

fn time(value: impl Into<i64>, per_second: i64) -> Vec<u8> {
    let mut text = Vec::new();
    crate::text::instant(&mut text, value.into(), per_second, false);
    // The day and a blank stand before the time.
    text.split_off(text.iter().position(|byte| *byte == b' ').map_or(0, |blank| blank + 1))
}

fn decimals<T: ArrowPrimitiveType>(array: &ArrayRef, scale: i8, nulls: Option<NullBuffer>) -> Lane<'static>
where
    T::Native: Into<i128>,
{
    let values = array.as_primitive::<T>().values().iter().map(|value| (*value).into()).collect();
    Lane::Decimals(values, scale, nulls)
}

/// Decimals of 256 bits that do not fit 128 are counted as numbers without their last digits.
fn wide_decimals(array: &ArrayRef, scale: i8, nulls: Option<NullBuffer>) -> Lane<'static> {
    let values = array.as_primitive::<Decimal256Type>().values();
    match values.iter().map(|value| value.to_i128()).collect::<Option<Vec<i128>>>() {
        Some(narrow) => Lane::Decimals(narrow.into(), scale, nulls),
        None => {
            let power = 10_f64.powi(i32::from(scale));
            let number =
                |value: &arrow_buffer::i256| value.to_string().parse::<f64>().unwrap_or(f64::NAN) / power;
            Lane::Floats(values.iter().map(number).collect(), nulls)
        }
    }
}

fn small(array: BinaryArray, nulls: Option<NullBuffer>) -> Blobs {
    let (offsets, values, _) = array.into_parts();
    Blobs::Small(BinaryArray::new(offsets, values, nulls))
}

fn large(array: LargeBinaryArray, nulls: Option<NullBuffer>) -> Blobs {
    let (offsets, values, _) = array.into_parts();
    Blobs::Large(LargeBinaryArray::new(offsets, values, nulls))
}

fn view(array: BinaryViewArray, nulls: Option<NullBuffer>) -> Blobs {
    if array.nulls() == nulls.as_ref() {
        return Blobs::View(array);
    }
    let (views, buffers, _) = array.into_parts();
    Blobs::View(BinaryViewArray::new(views, buffers, nulls))
}

fn dictionary<K: ArrowDictionaryKeyType>(
    array: &ArrayRef,
    nulls: Option<NullBuffer>,
) -> Option<Lane<'static>> {
    let dictionary = array.as_dictionary::<K>();
    let values = lane_of(dictionary.values(), dictionary.values().nulls().cloned())?;
    let key = |key: &K::Native| {
        i32::try_from(arrow_buffer::ArrowNativeType::to_usize(*key).unwrap_or(0)).unwrap_or(0)
    };
    let keys: ScalarBuffer<i32> = dictionary.keys().values().iter().map(key).collect();
    Some(Lane::Dictionary { keys, nulls, values: Box::new(values) })
}

fn runs<R: RunEndIndexType>(array: &ArrayRef, nulls: Option<NullBuffer>) -> Option<Lane<'static>> {
    // Runs without bytes of their own cost a file nothing either.
    if array.len() as u64 > LIST_ELEMENTS {
        return None;
    }
    let runs = array.as_any().downcast_ref::<arrow_array::RunArray<R>>()?;
    let values = lane_of(runs.values(), runs.values().nulls().cloned())?;
    let key = |at| i32::try_from(runs.get_physical_index(at)).unwrap_or(0);
    let keys: ScalarBuffer<i32> = (0..runs.len()).map(key).collect();
    Some(Lane::Dictionary { keys, nulls, values: Box::new(values) })
}

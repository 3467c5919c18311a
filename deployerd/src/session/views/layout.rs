//! Where tiles go.

use deployer_core::terminal::Size;

/// More tiles than this nobody can follow, however large the screen.
const TILES_MAX: usize = 16;
/// Smallest tile that shows something, with its title.
const SMALLEST: Size = Size { rows: 6, cols: 38 };
/// A tile is not made wider than this while there is another column's room.
const WIDE_ENOUGH: usize = 80;

/// A tile: its title stands in the first row, the screen of its isolation below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) row: u16,
    pub(super) col: u16,
    pub(super) size: Size,
}

impl Tile {
    /// Size of the isolation's screen within.
    pub(super) fn inner(&self) -> Size {
        Size { rows: self.size.rows - 1, cols: self.size.cols }
    }
}

/// Tiles for `count` isolations within `area`, in host order, with one column between neighbours; `None` when they do
/// not fit. Wide tiles are preferred to high ones: lines are read, not columns.
pub(super) fn tiles(count: usize, area: Size) -> Option<Vec<Tile>> {
    if count == 0 || count > TILES_MAX {
        return None;
    }
    let (height, width) = (usize::from(area.rows), usize::from(area.cols));
    let first = (width / WIDE_ENOUGH).clamp(1, count);
    let across = (first..=count).find(|across| height / count.div_ceil(*across) >= usize::from(SMALLEST.rows))?;
    if (width + 1) / across < usize::from(SMALLEST.cols) + 1 {
        return None;
    }
    let lines = count.div_ceil(across);
    let tile = |index: usize| {
        let (line, place) = (index / across, index % across);
        // The last line may have fewer, wider ones.
        let here = across.min(count - line * across);
        let (row, end_row) = (height * line / lines, height * (line + 1) / lines);
        let (col, end_col) = ((width + 1) * place / here, (width + 1) * (place + 1) / here - 1);
        let cells = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        Tile { row: cells(row), col: cells(col), size: Size { rows: cells(end_row - row), cols: cells(end_col - col) } }
    };
    Some((0..count).map(tile).collect())
}

/// How many tiles stand beside the first one.
pub(super) fn across(tiles: &[Tile]) -> usize {
    tiles.iter().take_while(|tile| tile.row == 0).count().max(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sizes(count: usize, rows: u16, cols: u16) -> Option<Vec<(u16, u16)>> {
        Some(tiles(count, Size { rows, cols })?.iter().map(|tile| (tile.size.rows, tile.size.cols)).collect())
    }

    #[test]
    fn tiles_are_as_wide_as_can_be() {
        assert_eq!(sizes(2, 22, 80), Some(vec![(11, 80); 2]));
        assert_eq!(sizes(6, 22, 80).unwrap()[..2], [(7, 39), (7, 40)]);
        assert_eq!(sizes(7, 22, 80), None);
        assert_eq!(sizes(6, 48, 200).unwrap()[..2], [(16, 99), (16, 100)]);
        assert_eq!(sizes(16, 48, 200).unwrap().len(), 16);
        assert_eq!(sizes(17, 500, 500), None);
        assert_eq!(sizes(1, 5, 200), None);
        assert_eq!(sizes(2, 500, 20), None);
    }

    #[test]
    fn tiles_cover_the_area_and_do_not_overlap() {
        for count in 1..=TILES_MAX {
            for (rows, cols) in [(22, 80), (48, 200), (100, 60), (31, 333)] {
                let Some(tiles) = tiles(count, Size { rows, cols }) else { continue };
                let mut used = vec![0; usize::from(rows) * usize::from(cols)];
                for tile in &tiles {
                    assert!(tile.size.rows >= SMALLEST.rows && tile.size.cols >= SMALLEST.cols, "{count} {tile:?}");
                    for row in tile.row..tile.row + tile.size.rows {
                        for col in tile.col..tile.col + tile.size.cols {
                            used[usize::from(row) * usize::from(cols) + usize::from(col)] += 1;
                        }
                    }
                }
                assert!(used.iter().all(|times| *times <= 1));
                let gaps = used.iter().filter(|times| **times == 0).count();
                assert!(gaps <= (across(&tiles) - 1) * usize::from(rows), "{count} on {rows}x{cols}: {gaps}");
            }
        }
    }
}
